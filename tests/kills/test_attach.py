# SPDX-License-Identifier: Apache-2.0

"""A service is killed at each step of attaching and detaching.

It is started again at once, and the same call is made again until it is done.
Nobody runs the audit: nothing is lost, leaked or doubled as it is.
"""

import pytest

from tests.kills import world

_COMPUTE = 'nova-compute'
_API = 'nova-api'

_STEPS = {
    'attach': world.Step('POST', '/attach$', _API),
    'bind': world.Step('POST', '/bind$', _COMPUTE),
    'attached': world.Step('POST', '/attached$', _COMPUTE),
    'detach': world.Step('POST', '/detach$', _API),
    'unplug': world.Step('POST', '/unplug$', _COMPUTE),
    'detached': world.Step('POST', '/detached$', _COMPUTE),
}


def _steps(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        'step', [pytest.param(_STEPS[name], id=name) for name in names]
    )


pytestmark = [
    pytest.mark.parametrize(
        'victim', [_COMPUTE, 'cyborg-api', 'cyborg-conductor', 'placement']
    ),
    pytest.mark.parametrize('after', [False, True], ids=['before', 'after']),
]


def _detach(scene: world.World, server_id: str) -> None:
    """Detach, and see that nothing is left: the next test needs it all."""
    scene.ask_until('available', scene.ask_to_detach, server_id)
    scene.assert_without(server_id)
    scene.assert_no_damage()
    scene.delete(server_id)
    scene.assert_no_damage()


@_steps('attach', 'bind', 'attached')
def test_attach(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot(with_context=False)
    with scene.killing(step, victim, after):
        scene.ask_to_attach(server_id)
    scene.ask_until('bound', scene.ask_to_attach, server_id)
    scene.assert_runs(server_id)
    scene.assert_no_damage()
    _detach(scene, server_id)


@_steps('detach', 'unplug', 'detached')
def test_detach(
    scene: world.World, step: world.Step, victim: str, after: bool
) -> None:
    server_id = scene.boot(with_context=False)
    scene.ask_until('bound', scene.ask_to_attach, server_id)
    scene.assert_runs(server_id)
    with scene.killing(step, victim, after):
        scene.ask_to_detach(server_id)
    _detach(scene, server_id)
