# SPDX-License-Identifier: Apache-2.0

"""What a state of Nova's means to device contexts."""

import pytest

from nova_cyborg.lifecycle import servers

State = servers.State
HOST = 'OS-EXT-SRV-ATTR:host'
LAUNCHED = 'OS-SRV-USG:launched_at'


def state(status, task=None, **more):
    body = {'status': status, 'OS-EXT-STS:task_state': task, **more}
    return servers.Server.from_body('a', body).state


@pytest.mark.parametrize(
    ('status', 'task', 'expected'),
    [
        ('DELETED', None, State.GONE),
        ('SOFT_DELETED', None, State.LEAVING),
        ('ACTIVE', 'deleting', State.LEAVING),
        ('SHELVED_OFFLOADED', 'soft-deleting', State.LEAVING),
        ('BUILD', 'spawning', State.EXISTS),
        ('SHELVED_OFFLOADED', None, State.OFFLOADED),
        ('SHELVED_OFFLOADED', 'unshelving', State.ARRIVING),
        ('SHELVED_OFFLOADED', 'spawning', State.ARRIVING),
        ('REBUILD', 'rebuilding', State.ARRIVING),
        ('ACTIVE', 'powering-off', State.EXISTS),
        ('ERROR', None, State.FAILED),
        ('ERROR', 'rebuild_spawning', State.ARRIVING),
        ('SHUTOFF', None, State.RESTING),
        ('ACTIVE', None, State.RESTING),
    ],
)
def test_states(status, task, expected):
    assert state(status, task) is expected


@pytest.mark.parametrize(
    ('host', 'launched', 'expected'),
    [
        (None, None, State.NEVER_BUILT),
        ('compute1', None, State.FAILED),
        (None, '2026-11-24T19:00:00', State.FAILED),
    ],
)
def test_in_error(host, launched, expected):
    assert state('ERROR', **{HOST: host, LAUNCHED: launched}) is expected


def test_in_a_cell_that_is_down():
    """As Nova shows it: with next to nothing, since microversion 2.69."""
    shown = {
        'id': 'a',
        'status': 'UNKNOWN',
        'tenant_id': 'b',
        'created': '2026-11-24T19:00:00Z',
        'image': '',
        'flavor': {'extra_specs': {}},
        'OS-EXT-AZ:availability_zone': 'UNKNOWN',
        'OS-EXT-STS:power_state': 0,
        'user_id': 'c',
    }

    found = servers.Server.from_body('a', shown)

    assert found.state is State.UNKNOWN


def test_on_no_host():
    assert state('ACTIVE', **{HOST: None}) is State.EXISTS


def test_what_nova_shows_administrators_only_may_be_missing():
    found = servers.Server.from_body('a', {'status': 'ERROR'})

    assert (found.state, found.node, found.launched_at) == (
        State.EXISTS,
        None,
        None,
    )


@pytest.mark.parametrize(
    ('flavor', 'expected'),
    [
        ({}, {}),
        # Nova's policies may not let Cyborg's user see them.
        ({'flavor': {'original_name': 'm1'}}, {}),
        (
            {
                'flavor': {
                    'extra_specs': {
                        'resources:FPGA': '1',
                        'resources2:FPGA': '2',
                        'resources_a:GPU': '3',
                        'trait:FPGA': 'required',
                        'accel:device_profile': '4',
                        'resources:BAD': 'many',
                    }
                }
            },
            {'FPGA': 3, 'GPU': 3},
        ),
    ],
)
def test_what_the_flavor_asks_for(flavor, expected):
    body = {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None, **flavor}

    found = servers.Server.from_body('a', body)

    assert found.flavor_resources == expected


@pytest.mark.parametrize(
    ('flavor', 'expected'),
    [
        ({}, False),
        ({'extra_specs': {'accel:device_profile': 'fpga'}}, False),
        ({'extra_specs': {}}, True),
        ({'extra_specs': {'accel:device_profile': 'device-context'}}, True),
    ],
)
def test_whether_the_flavor_says_all_that_it_asks_for(flavor, expected):
    body = {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None}

    found = servers.Server.from_body('a', body | {'flavor': flavor})

    assert found.tells_flavor is expected
