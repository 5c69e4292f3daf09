# SPDX-License-Identifier: Apache-2.0

"""The command that runs the tests with each release: what it refuses."""

import sys

import pytest

from tools.seldom.matrix import __main__ as matrix


def test_a_release_that_there_is_not(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['matrix', '2025.1', '1999'])

    with pytest.raises(SystemExit, match='2'):
        matrix.main()

    complaint = capsys.readouterr().err
    assert "no release '1999'; choose of 2025.1, 2025.2, " in complaint
    assert '[]' not in complaint
