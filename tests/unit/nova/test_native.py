# SPDX-License-Identifier: Apache-2.0

"""Which slots take whose place when devices move with their state."""

import pytest

from nova_cyborg import cyborg_client, exception, model
from nova_cyborg.nova.compute.libvirt import native

SOURCE, DESTINATION = 'host1', 'host2'
ADDRESS = {'domain': '0000', 'bus': '3b', 'device': '00'}


def pci(function, group=0):
    return model.Device(
        f'arq-{function}',
        group,
        'Bound',
        attach_handle_type='PCI',
        attach_handle_id=f'handle-{function}',
        attach_handle_info={**ADDRESS, 'function': str(function)},
    )


def mdev(uuid, group=0, kind='nvidia-35'):
    return model.Device(
        f'arq-{uuid}',
        group,
        'Bound',
        attach_handle_type='MDEV',
        attach_handle_id=uuid,
        attach_handle_info={**ADDRESS, 'asked_type': kind},
    )


def context(active, inactive, word='native', host=DESTINATION):
    return cyborg_client.AllocatedContext(
        'context',
        (),
        word,
        (
            model.Binding('host3', 'leaving', (pci(7),)),
            model.Binding(SOURCE, 'active', tuple(active)),
            model.Binding(host, 'inactive', tuple(inactive)),
        ),
    )


def test_each_slot_has_one_of_its_own_group():
    found = native.map_slots(
        [
            context([pci(0), mdev('a', 1)], [pci(4), mdev('b', 1)]),
            context([pci(1)], [pci(5)]),
            context([pci(2)], [pci(6)], word='detach'),
        ],
        DESTINATION,
    )

    assert found == native.Slots(
        {'0000:3b:00.0': '0000:3b:00.4', '0000:3b:00.1': '0000:3b:00.5'},
        {'a': 'b'},
    )


@pytest.mark.parametrize(
    ('active', 'inactive', 'part'),
    [
        ([pci(0)], [], 'is not what the guest has'),
        ([pci(0)], [pci(4), pci(5)], 'is not what the guest has'),
        ([pci(0, 0)], [pci(4, 1)], 'is not what the guest has'),
        ([pci(0)], [mdev('b')], 'PCI and MDEV (nvidia-35)'),
        (
            [mdev('a')],
            [mdev('b', kind='nvidia-36')],
            'MDEV (nvidia-35) and MDEV (nvidia-36)',
        ),
        (
            [model.Device('a', 0, 'Bound', attach_handle_type='CCW')],
            [model.Device('b', 0, 'Bound', attach_handle_type='CCW')],
            'CCW and CCW',
        ),
    ],
)
def test_what_has_no_counterpart(active, inactive, part):
    with pytest.raises(exception.LiveMigrationNative) as info:
        native.map_slots([context(active, inactive)], DESTINATION)

    assert 'context' in str(info.value)
    assert part in str(info.value)


def test_what_is_bound_on_another_host_does_not_count():
    with pytest.raises(exception.LiveMigrationNative):
        native.map_slots([context([pci(0)], [pci(4)], host='h')], DESTINATION)
