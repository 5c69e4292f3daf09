# SPDX-License-Identifier: Apache-2.0

"""A service is killed at each step of a move.

It is started again at once. A server that is stuck, or in error, is reset and
rebooted by an administrator; then it runs with a device, of the host that it
is on. Nobody runs the audit: the cloud heals itself, until nothing is lost,
leaked or doubled.
"""

import pytest

from tests.kills import world

_CONDUCTOR, _COMPUTE = 'nova-conductor', 'nova-compute'
# Of both hosts, one at a time.
_SOURCE, _DESTINATION = 'source', 'destination'
_ENDS = ('ACTIVE', 'ERROR')

_STEPS = {
    'begin': world.Step('POST', '/begin$', _CONDUCTOR),
    'bind': world.Step('POST', '/bind$', _CONDUCTOR),
    'read': world.Step('GET', '/accelerator_requests$', _COMPUTE),
    'activate': world.Step('POST', '/activate$', _COMPUTE),
    'settle': world.Step('POST', '/settle$', _COMPUTE),
    'unbind': world.Step('POST', '/unbind$', _COMPUTE),
}
_LIVE = {'host': None, 'block_migration': 'auto'}


def _steps(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        'step', [pytest.param(_STEPS[name], id=name) for name in names]
    )


def _victims(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize('victim', names)


_ANY = _victims(_CONDUCTOR, _SOURCE, _DESTINATION, 'cyborg-api')
# A server that stays on its host concerns no other one.
_AT_HOME = _victims(_SOURCE, 'cyborg-api')
pytestmark = pytest.mark.parametrize(
    'after', [False, True], ids=['before', 'after']
)


def _program(scene: world.World, server_id: str, victim: str) -> str:
    """Return the name of whom is killed, of a server that is not moved yet."""
    if victim == _SOURCE:
        return scene.source(server_id)
    if victim == _DESTINATION:
        return scene.destination(server_id)
    return victim


def _move(scene: world.World, server_id: str) -> None:
    """Migrate a server; what it has on two hosts is no damage."""
    scene.begin_move(server_id, 'migrate')
    assert scene.wait_until_idle(server_id) == 'VERIFY_RESIZE'
    scene.assert_healed()
    scene.assert_runs(server_id)


def _revive(scene: world.World, server_id: str, status: str) -> None:
    """See that a server runs, as an administrator does after a failure."""
    if status == 'stuck':
        scene.act(server_id, 'os-resetState', {'state': 'error'})
        status = 'ERROR'
    if status == 'ERROR':
        scene.act(server_id, 'reboot', {'type': 'HARD'})
        status = scene.wait_until_idle(server_id)
    assert status == 'ACTIVE', scene.show(server_id)
    scene.assert_runs(server_id)
    scene.assert_healed()
    scene.assert_runs(server_id)
    # The next test needs all that it had.
    scene.delete(server_id)
    scene.assert_no_damage()


@_ANY
@_steps('begin', 'bind', 'read', 'activate')
def test_migrate(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    with scene.killing(step, _program(scene, server_id, victim), after):
        scene.begin_move(server_id, 'migrate')
    status = scene.wait_until_idle(server_id)
    if status == 'VERIFY_RESIZE':
        scene.assert_healed()
        scene.assert_runs(server_id)
        scene.act(server_id, 'confirmResize', None)
        status = scene.wait_until_idle(server_id, final=_ENDS)
    _revive(scene, server_id, status)


@_ANY
@_steps('settle')
def test_confirm(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    program = _program(scene, server_id, victim)
    _move(scene, server_id)
    with scene.killing(step, program, after):
        scene.act(server_id, 'confirmResize', None)
    status = scene.wait_until_idle(server_id, final=_ENDS)
    _revive(scene, server_id, status)


@_ANY
@_steps('unbind', 'read')
def test_revert(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    program = _program(scene, server_id, victim)
    _move(scene, server_id)
    with scene.killing(step, program, after):
        scene.act(server_id, 'revertResize', None)
    status = scene.wait_until_idle(server_id, final=_ENDS)
    _revive(scene, server_id, status)


@_ANY
@_steps('begin', 'bind', 'read', 'activate', 'settle')
def test_live_migrate(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    with scene.killing(step, _program(scene, server_id, victim), after):
        scene.begin_move(server_id, 'os-migrateLive', _LIVE)
    status = scene.wait_until_idle(server_id, final=_ENDS)
    _revive(scene, server_id, status)


@_AT_HOME
@_steps('read')
def test_suspend(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    with scene.killing(step, _program(scene, server_id, victim), after):
        scene.act(server_id, 'suspend', None)
    status = scene.wait_until_idle(server_id)
    if status == 'SUSPENDED':
        scene.act(server_id, 'resume', None)
        status = scene.wait_until_idle(server_id, final=_ENDS)
    _revive(scene, server_id, status)


@_AT_HOME
@_steps('read')
def test_resume(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot()
    program = _program(scene, server_id, victim)
    scene.act(server_id, 'suspend', None)
    assert scene.wait_until_idle(server_id) == 'SUSPENDED'
    with scene.killing(step, program, after):
        scene.act(server_id, 'resume', None)
    status = scene.wait_until_idle(server_id)
    if status == 'SUSPENDED':
        scene.act(server_id, 'resume', None)
        status = scene.wait_until_idle(server_id, final=_ENDS)
    _revive(scene, server_id, status)
