# SPDX-License-Identifier: Apache-2.0

"""The phases of an operation, from the lines that services write."""

import pytest

from tools.bench.results import phases

PORT = 9000
BIND = 'POST /0f921be4-c520-4228-b236-d3d03e207804/bind'


def line(kind, role, name, begin, end, **more):
    return {
        'kind': kind,
        'program': '',
        'role': role,
        'name': name,
        'request': 'req-1',
        'begin': begin,
        'end': end,
        **more,
    }


def unit(role, name, begin, end, **more):
    return line('unit', role, name, begin, end, **more)


# As of a boot: the API, then the conductor that binds, then the compute.
BOOT = [
    unit('nova-api', 'POST /v2.1/servers', 0, 2, statements=5),
    line('call', 'nova-api', 'GET /profiles', 1, 1.5, port=PORT),
    unit('cyborg-api', 'GET /profiles', 1.1, 1.4, statements=1),
    unit('nova-conductor', 'build', 2, 5, statements=7, writes=2),
    line('part', 'nova-conductor', 'pre_bind', 3, 4),
    line('call', 'nova-conductor', 'POST /bind', 3.1, 3.9, to='accelerator'),
    unit('cyborg-api', BIND, 3.2, 3.8, statements=9, writes=1, size=512),
    line('rpc', 'cyborg-api', 'apply', 3.3, 3.4),
    unit('cyborg-conductor', 'apply', 3.3, 3.7, statements=3),
    unit('nova-api', 'POST /v2.1/os-server-external-events', 3.5, 3.6),
    line('call', 'nova-conductor', 'GET /resource_providers', 4, 5, port=1),
    line('rpc', 'nova-conductor', 'build_and_run', 4.9, 5),
    unit('nova-compute', 'build_and_run', 5, 8),
    line('part', 'nova-compute', 'wait', 5.5, 6),
    line('call', 'nova-compute', 'GET /arqs', 5.8, 6.5, port=PORT),
    {
        'kind': 'apart',
        'program': '',
        'role': 'nova-api',
        'request': 'req-1',
        'statements': 2,
    },
]


def test_the_phases_of_a_boot():
    found = phases.of(BOOT, PORT)

    assert found.seconds == pytest.approx(
        {
            phases.WHOLE: 8,
            # Not what Cyborg tells Nova.
            phases.API: 2,
            phases.API_CYBORG: 0.5,
            # The call is in the part, and counts once.
            phases.CONDUCTOR: 1,
            # It goes on after the part.
            phases.COMPUTE: 1,
            phases.CYBORG: 0.3 + 0.6,
            phases.ACCELERATORS: 2,
        }
    )


def test_what_is_counted():
    found = phases.of(BOOT, PORT).counts

    assert found['nova-api statements'] == 7
    assert found['nova-conductor writes'] == 2
    assert found['calls of Cyborg'] == 3
    assert found['messages'] == 2


def test_what_a_unit_of_work_had():
    found = phases.of(BOOT, PORT).units

    by_name = {(each.service, each.name): each for each in found}
    bind = by_name['cyborg-api', 'POST /{id}/bind']
    assert (bind.statements, bind.writes, bind.messages) == (9, 1, 1)
    assert (bind.seconds, bind.size) == (pytest.approx(0.6), 512)
    build = by_name['nova-conductor', 'build']
    assert (build.statements, build.writes, build.messages) == (7, 2, 1)
    assert found[0].name == 'POST /v2.1/servers'


def test_a_thread_that_knows_no_service_is_its_programs():
    lines = [line('part', '', 'wait', 1, 2, program='nova-compute-host1')]

    assert phases.of(lines, PORT).seconds[phases.COMPUTE] == 1


def test_of_nothing_there_is_nothing():
    found = phases.of([], PORT)

    assert set(found.seconds) == set(phases.PHASES)
    assert not any(found.seconds.values())


@pytest.mark.parametrize(
    ('intervals', 'seconds'),
    [
        ([], 0),
        ([(1, 2), (4, 6)], 3),
        ([(4, 6), (1, 5), (2, 3)], 5),
        ([(1, 2), (2, 3)], 2),
    ],
)
def test_what_is_at_the_same_time_counts_once(intervals, seconds):
    assert phases.union(intervals) == seconds
