# SPDX-License-Identifier: Apache-2.0

"""Device contexts on the screen."""

import typing as ty

import pytest

from nova_cyborg.cli import columns
from tests.unit.cli import conftest


def text(context: dict[str, ty.Any], name: str) -> str:
    (value,) = columns.row(context, (name,))
    return str(value)


def test_a_group_is_a_line() -> None:
    groups = [
        {
            'resources': {'FPGA': 1, 'VGPU': 2},
            'required': ['A', 'B'],
            'forbidden': ['C'],
            'config': {'k': 'v', 'l': 'w'},
        },
        {'resources': {'PGPU': 1}},
    ]
    assert text({'groups': groups}, 'groups') == (
        'group 0: FPGA:1, VGPU:2; requires A, B; forbids C; config k:v, l:w\n'
        'group 1: PGPU:1'
    )


@pytest.mark.parametrize('chosen', [None, 0, 1])
def test_each_alternative_is_a_line(chosen: int | None) -> None:
    lines = ['  0: FPGA:1; requires A', '  1: PGPU:1']
    if chosen is not None:
        lines[chosen] += ' (chosen)'
    alternatives = [
        {'resources': {'FPGA': 1}, 'required': ['A']},
        {'resources': {'PGPU': 1}},
    ]
    groups = [
        {'resources': {'VGPU': 1}},
        {'first_available': alternatives, 'chosen': chosen},
    ]
    assert text({'groups': groups}, 'groups').split('\n') == [
        'group 0: VGPU:1',
        'group 1: the first available of',
        *lines,
    ]


def test_a_device_tells_its_alternative() -> None:
    context = conftest.bound_context()
    context['devices'][0]['alternative'] = 2
    assert text(context, 'devices').startswith('group 0, alternative 2: PCI ')


def test_a_bound_device_tells_its_slot() -> None:
    assert text(conftest.bound_context(), 'devices') == (
        'group 0: PCI 0000:0c:00.1 on compute1 '
        f'(Bound, ARQ {conftest.OTHER_ID})'
    )


@pytest.mark.parametrize(
    ('info', 'place'),
    [
        ({}, 'no slot yet'),
        (None, 'no slot yet'),
        ({'vgpu_mark': 'x', 'type': 'y'}, 'MDEV vgpu_mark:x, type:y'),
    ],
)
def test_a_device_without_a_slot(
    info: dict[str, str] | None, place: str
) -> None:
    device = {
        'arq_id': 'id',
        'group': 1,
        'state': 'BindStarted',
        'host': None,
        'attach_handle_type': 'MDEV',
        'attach_handle_info': info,
        'slot': None,
    }
    shown = text({'devices': [device]}, 'devices')
    assert shown == f'group 1: {place} (BindStarted, ARQ id)'


def test_machines_get_the_objects() -> None:
    context = conftest.bound_context()
    for name in ('devices', 'groups'):
        (value,) = columns.row(context, (name,))
        assert value.machine_readable() == context[name]


def test_a_server_that_leaves_a_field_out_does_not_break_the_output() -> None:
    assert columns.row({'uuid': 'x'}, ('uuid', 'fault')) == ('x', None)
    assert text({}, 'devices') == ''
