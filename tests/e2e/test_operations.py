# SPDX-License-Identifier: Apache-2.0


"""When Cyborg is not as it must be, and that it is."""

import pytest

from tests.e2e import contexts, logs, operations, person, servers
from tools.cloud import cloud as cloud_module

_BOOT = 'nova boot --image cirros --flavor m1.small --nic none refused'


def test_cyborg_is_down(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = contexts.create(demo)
    with operations.stopped(cloud, 'cyborg'):
        message = demo.is_refused(f'{_BOOT} --device-context-id {context_id}')
        complaint = demo.is_refused(f'cyborg device-context-show {context_id}')
    assert 'did not answer: the connection failed' in message
    assert 'cyborg-api' in message
    assert 'nova.conf' in message
    assert servers.every(demo) == []
    assert 'did not answer' in complaint
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_cyborg_does_not_serve_device_contexts(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = contexts.create(demo)
    paste = cloud.folder / 'etc' / 'cyborg' / 'api-paste.ini'
    assert 'nova_cyborg.api.app:app_factory' in paste.read_text()
    with operations.configured(
        cloud,
        'cyborg',
        paste,
        'app:api_v2',
        **{'paste.app_factory': 'cyborg.api.app:app_factory'},
    ):
        message = demo.is_refused(f'{_BOOT} --device-context-id {context_id}')
        complaint = demo.is_refused('cyborg device-context-list')
    assert 'does not serve device contexts' in message
    for what in (
        'paste.app_factory',
        'nova_cyborg.api.app:app_factory',
        'api-paste.ini',
    ):
        assert what in message
    assert servers.every(demo) == []
    assert 'does not serve device contexts' in complaint
    assert contexts.show(demo, context_id)['status'] == 'available'


@pytest.mark.parametrize('service', ['nova', 'cyborg'])
def test_a_service_that_loads_the_plugin_says_so(
    cloud: cloud_module.Cloud, service: str
) -> None:
    text = logs.everything(cloud, service)
    expected = {
        'nova': (
            'nova_cyborg is active in',
            'check of the hint for device contexts',
            'conductor hooks device_context',
            'check of accelerator requests',
        ),
        'cyborg': ('nova_cyborg serves device contexts in cyborg-api',),
    }
    for sentence in expected[service]:
        assert sentence in text
