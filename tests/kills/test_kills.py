# SPDX-License-Identifier: Apache-2.0

"""A service is killed at each step of each operation.

It is started again at once. The operation comes to an end, or somebody
deletes the server; a build that was interrupted is ended by nova-conductor.
Nobody runs the audit: the cloud heals itself, until nothing is lost, leaked or
doubled, and the device context can be used again.
"""

import pytest

from tests.kills import world

_CONDUCTOR, _COMPUTE = 'nova-conductor', 'nova-compute'
_VICTIMS = (_CONDUCTOR, _COMPUTE, 'cyborg-api', 'cyborg-conductor')
_ARQS = '/accelerator_requests$'

_RESERVE = world.Step('PUT', '/device_allocations/[^/]+$', _CONDUCTOR)
_BEGIN = world.Step('POST', '/begin$', _CONDUCTOR)
_BIND = world.Step('POST', '/bind$', _CONDUCTOR)
_READ = world.Step('GET', _ARQS, _COMPUTE)
_RELEASE = world.Step('DELETE', '/device_allocations/', _COMPUTE)
_UNBIND = world.Step('POST', '/unbind$', _COMPUTE)


def _steps(**steps: world.Step) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        'step', [pytest.param(each, id=name) for name, each in steps.items()]
    )


pytestmark = [
    pytest.mark.parametrize('victim', _VICTIMS),
    pytest.mark.parametrize('after', [False, True], ids=['before', 'after']),
]


@_steps(reserve=_RESERVE, bind=_BIND, read=_READ)
def test_boot(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    with scene.killing(step, victim, after):
        server_id = scene.post_server()
    if scene.wait_until_built(server_id) == 'ACTIVE':
        scene.assert_runs(server_id)
    scene.delete(server_id)
    scene.assert_usable()


@_steps(release=_RELEASE)
def test_delete(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    with scene.killing(step, victim, after):
        scene.ask_to_delete(server_id)
    scene.wait_until_idle(server_id)
    scene.delete(server_id)
    scene.assert_usable()


@_steps(begin=_BEGIN, bind=_BIND, read=_READ)
def test_unshelve(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    scene.act(server_id, 'shelve', None)
    assert scene.wait_until_idle(server_id) == 'SHELVED_OFFLOADED'
    with scene.killing(step, victim, after):
        scene.act(server_id, 'unshelve', None)
    status = scene.wait_until_idle(server_id)
    if status == 'SHELVED_OFFLOADED':
        scene.assert_healed()
        scene.act(server_id, 'unshelve', None)
        assert scene.wait_until_idle(server_id) == 'ACTIVE'
    if status != 'stuck':
        scene.assert_runs(server_id)
    scene.delete(server_id)
    scene.assert_usable()


@_steps(begin=_BEGIN, bind=_BIND, read=_READ, unbind=_UNBIND)
def test_evacuate(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    source = scene.source(server_id)
    scene.kill(source)
    scene.force_down(source, True)
    with scene.killing(step, victim, after, source):
        scene.act(server_id, 'evacuate', {})
    if scene.wait_until_idle(server_id) == 'stuck':
        # As an administrator does who wants it to be evacuated again.
        scene.act(server_id, 'os-resetState', {'state': 'error'})
    if scene.wait_until_idle(server_id) == 'ERROR':
        # What a host has that is down may have to wait for it.
        scene.wait_for_no_damage()
        scene.act(server_id, 'evacuate', {})
        # From ERROR, Nova starts it; else it is as it was, or stopped.
        assert scene.wait_until_idle(server_id) == 'ACTIVE', scene.show(
            server_id
        )
    status = scene.wait_until_idle(server_id)
    assert status in ('ACTIVE', 'SHUTOFF'), scene.show(server_id)
    scene.assert_runs(server_id)
    scene.start_all()
    scene.force_down(source, False)
    scene.assert_healed()
    scene.delete(server_id)
    scene.assert_usable()
