# SPDX-License-Identifier: Apache-2.0

"""Tests that whatever is chosen can be done."""

from unittest import mock

import pytest

from tools.seldom.chaos.operations import (
    attachments,
    choice,
    evacuation,
    moves,
    states,
)


@pytest.mark.parametrize('name', sorted(set(choice.NAMES)))
def test_what_is_chosen_is_done(chance, name):
    chance.choice.side_effect = lambda choices: (
        name if name in choices else choices[0]
    )
    parts = [
        mock.create_autospec(each, instance=True)
        for each in (
            moves.Moves,
            states.States,
            attachments.Attachments,
            evacuation.Evacuation,
        )
    ]
    choice.Operations(chance, *parts).do('server', mock.Mock())
    done = [call[0] for part in parts for call in part.method_calls]
    assert done == [] if name == 'nothing' else [name]
