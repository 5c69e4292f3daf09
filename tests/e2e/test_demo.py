# SPDX-License-Identifier: Apache-2.0

"""What the demo shows, on a cloud that is up already."""

import dataclasses

import pytest

from tools.cloud import cloud as cloud_module
from tools.demo import story

# The cloud of the tests has another second device on its first host.
_HOT_PLUG = dataclasses.replace(
    story.HOT_PLUG, attached='cyborg device-context-create --resources=FPGA:1'
)


def test_hot_plug(
    cloud: cloud_module.Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    story.play(cloud, _HOT_PLUG)
    acts = capsys.readouterr().out.split('\n== ')[1:]
    # As the guest is after each: booted, with both devices, with the first.
    devices = [act.count('<hostdev') for act in acts]
    assert [each for each in devices if each] == [1, 2, 1]
    assert 'openstack server add device context --wait' in acts[-4]
    assert 'openstack server remove device context --wait' in acts[-2]
    assert acts[-1].endswith('Attach handles in use in Cyborg: 0\n')
