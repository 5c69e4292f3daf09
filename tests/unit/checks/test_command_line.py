# SPDX-License-Identifier: Apache-2.0

"""The script ``cyborg``, which another package may have as well."""

import pathlib
import sys

import pytest
from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks import command_line

OURS = 'from nova_cyborg.cli.commands.shell import main\n'
THEIRS = 'from cyborgclient.shell import main\n'


@pytest.fixture
def scripts(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> pathlib.Path:
    """A folder of scripts, of which this process is one."""
    monkeypatch.setattr(sys, 'argv', [str(tmp_path / 'nova-cyborg-status')])
    (tmp_path / 'nova-cyborg-status').write_text('')
    return tmp_path


def install(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """Let there be a python-cyborgclient."""
    info = folder / f'python_cyborgclient-{version}.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(
        f'Metadata-Version: 2.1\nName: python-cyborgclient\n'
        f'Version: {version}\n'
    )
    points = '[console_scripts]\ncyborg = cyborgclient.shell:main\n'
    (info / 'entry_points.txt').write_text(points if version < '3' else '')
    monkeypatch.syspath_prepend(str(folder))


def code_and_text() -> tuple[upgradecheck.Code, str]:
    result = command_line.script()
    return result.code, result.details


def test_it_is_ours(scripts: pathlib.Path) -> None:
    (scripts / 'cyborg').write_text(OURS)

    code, text = code_and_text()

    assert code == upgradecheck.Code.SUCCESS
    assert str(scripts / 'cyborg') in text


def test_another_has_one_as_well(
    scripts: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scripts / 'cyborg').write_text(OURS)
    install(scripts, monkeypatch, '2.5.0')

    code, text = code_and_text()

    assert code == upgradecheck.Code.WARNING
    assert 'is of python-cyborgclient 2.5.0, too' in text
    assert 'Upgrade python-cyborgclient to 3.0 or later' in text


def test_a_later_one_has_none(
    scripts: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scripts / 'cyborg').write_text(OURS)
    install(scripts, monkeypatch, '3.0.0')

    assert code_and_text()[0] == upgradecheck.Code.SUCCESS


def test_it_was_taken_away(scripts: pathlib.Path) -> None:
    code, text = code_and_text()

    assert code == upgradecheck.Code.WARNING
    assert f'There is no script {scripts / "cyborg"}' in text
    assert 'python3 -m nova_cyborg.cli' in text


def test_it_was_replaced(scripts: pathlib.Path) -> None:
    (scripts / 'cyborg').write_text(THEIRS)

    code, text = code_and_text()

    assert code == upgradecheck.Code.WARNING
    assert 'is not that of nova-cyborg' in text


def test_without_scripts(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'argv', [str(tmp_path / '-m')])
    monkeypatch.setattr(
        command_line.sysconfig, 'get_path', lambda _name: str(tmp_path)
    )

    assert code_and_text()[0] == upgradecheck.Code.SUCCESS
