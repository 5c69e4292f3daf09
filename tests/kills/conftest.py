# SPDX-License-Identifier: Apache-2.0

"""One production-like cloud for all tests, cyborg-api behind a forwarder."""

import collections.abc
import os
import pathlib
import sys

import pytest

from tests.kills import forwarder, world
from tools.cloud import cloud as cloud_module
from tools.cloud import kinds, wanted
from tools.seldom.chaos.actors import api

_DEVICES = pathlib.Path(__file__).with_name('devices') / 'one.yaml'
_HOSTS = 2
# A cloud that is up, and stays; brought up as below.
_RUNNING = 'NOVA_CYBORG_KILLS_CLOUD'
# The services take options from the environment: whoever waits in vain does
# not wait for minutes.
_OPTIONS = {
    'OS_DEFAULT__ARQ_BINDING_TIMEOUT': '20',
    'OS_DEFAULT__RPC_RESPONSE_TIMEOUT': '20',
    'OS_NOVA_CYBORG__BUILD_INTERRUPTED_AFTER': str(world.INTERRUPTED_SECONDS),
}


@pytest.fixture(scope='session')
def cloud(
    tmp_path_factory: pytest.TempPathFactory,
) -> collections.abc.Iterator[cloud_module.Cloud]:
    """The cloud; it is stopped at the end, whatever happens."""
    if _RUNNING in os.environ:
        yield cloud_module.Cloud(os.environ[_RUNNING])
        return
    made = cloud_module.Cloud(tmp_path_factory.mktemp('cloud'))
    os.environ.update(_OPTIONS)
    try:
        made.up(
            wanted.Wanted(
                kinds.PRODUCTION, _HOSTS, 0, devices=[_DEVICES] * _HOSTS
            )
        )
        yield made
    finally:
        made.down()


@pytest.fixture(scope='session')
def gate(
    cloud: cloud_module.Cloud,
) -> collections.abc.Iterator[forwarder.Forwarder]:
    """What stands before cyborg-api, for all who look into the catalog."""
    admin = api.User(cloud, 'admin')
    endpoints = admin.ask('identity', 'GET', '/endpoints').json()
    services = admin.ask('identity', 'GET', '/services').json()['services']
    (service_id,) = [
        each['id'] for each in services if each['type'] == 'accelerator'
    ]
    mine = [
        each
        for each in endpoints['endpoints']
        if each['service_id'] == service_id
    ]
    url = cloud.url('cyborg')
    made = forwarder.Forwarder(url)

    def move(url: str) -> None:
        for each in mine:
            admin.ask(
                'identity',
                'PATCH',
                f'/endpoints/{each["id"]}',
                json={'endpoint': {'url': url}},
            )

    move(made.url)
    try:
        yield made
    finally:
        move(url)
        made.shutdown()


@pytest.fixture
def scene(
    cloud: cloud_module.Cloud,
    gate: forwarder.Forwarder,
    capsys: pytest.CaptureFixture[str],
) -> collections.abc.Iterator[world.World]:
    """The cloud with a device context that is kept, all services up."""
    made = world.World(cloud, gate)
    yield made
    made.tidy()
    with capsys.disabled():
        # After the damage of the kill, and after each thing that followed.
        times = ', '.join(f'{seconds:.0f}' for seconds in made.healed)
        sys.stdout.write(f' no damage after {times} s ')
