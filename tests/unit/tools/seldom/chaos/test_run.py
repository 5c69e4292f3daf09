# SPDX-License-Identifier: Apache-2.0

"""Tests of who kills whom."""

from unittest import mock

import pytest

from tools.cloud import cloud as cloud_module
from tools.cloud import running
from tools.command_line import progress
from tools.seldom.chaos import run
from tools.seldom.chaos.actors import holds, saboteur


def _saboteurs(*names, victims=saboteur.VICTIMS):
    cloud = mock.create_autospec(cloud_module.Cloud, instance=True)
    cloud.status.return_value = [
        running.ServiceStatus(name, 'RUNNING', 1, '') for name in names
    ]
    size = run.Size(1, 1, 1, victims)
    report = mock.create_autospec(progress.Progress, instance=True)
    made = run._saboteurs(cloud, size, holds.Holds(), report)
    return [(each._names, each._rhythm) for each in made]


@pytest.mark.parametrize(
    ('names', 'victims', 'expected'),
    [
        (
            ('cyborg-api', 'cyborg-conductor'),
            saboteur.VICTIMS,
            [(['cyborg-api', 'cyborg-conductor'], saboteur.RANDOM)],
        ),
        (
            ('cyborg-api', 'cyborg-conductor', 'cyborg-conductor2'),
            saboteur.VICTIMS,
            [
                (['cyborg-api'], saboteur.RANDOM),
                (['cyborg-conductor', 'cyborg-conductor2'], saboteur.STEADY),
            ],
        ),
        (
            ('cyborg-api', 'cyborg-conductor', 'cyborg-conductor2'),
            ('cyborg-conductor',),
            [(['cyborg-conductor', 'cyborg-conductor2'], saboteur.STEADY)],
        ),
    ],
)
def test_several_conductors_are_killed_in_turn(names, victims, expected):
    assert _saboteurs(*names, victims=victims) == expected
