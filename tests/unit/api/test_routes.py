# SPDX-License-Identifier: Apache-2.0

"""Which routes there are, and the methods of each."""

import pytest

from nova_cyborg import exception
from nova_cyborg.api import policies, routes

UUID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'

METHODS = {
    '/v2/device_contexts': {'GET', 'HEAD', 'POST'},
    '/device_contexts': {'GET', 'HEAD', 'POST'},
    '/v2/device_contexts/': {'GET', 'HEAD', 'POST'},
    f'/v2/device_contexts/{UUID}': {'GET', 'HEAD', 'PATCH', 'DELETE'},
    f'/v2/device_allocations/{UUID}': {'GET', 'HEAD', 'PUT', 'DELETE'},
    # Not the name of a server.
    '/v2/device_allocations/check': {'POST'},
    f'/v2/device_allocations/{UUID}/bind': {'POST'},
    '/v2/device_taints': {'GET', 'HEAD', 'POST'},
    f'/v2/device_taints/{UUID}': {'GET', 'HEAD', 'DELETE'},
    '/v2/reconciler': {'GET', 'HEAD'},
}
NOTHING = [
    '/v2/device_allocations',
    f'/v2/device_contexts/{UUID}.json',
    '/v2/device_contexts.json',
    f'/v2/device_contexts/{UUID}/nonesuch',
    '/v2/device_contexts//',
    f'/v2/device_contexts//{UUID}',
    '/v2//device_contexts',
    '//v2/device_contexts',
    '/v2/v2/device_contexts',
    f'/v2/device_allocations//{UUID}/bind',
    '/v2/device_allocations//bind',
    f'/v2/device_allocations/{UUID}/bind/more',
    '/v2/reconciler/nonesuch',
]
EVERY = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE')


@pytest.mark.parametrize('path', METHODS)
@pytest.mark.parametrize('method', EVERY)
def test_the_methods_of_a_path(path, method):
    if method in METHODS[path]:
        found = routes.check(method, path)
        assert found == ('GET' if method == 'HEAD' else method)
        return
    with pytest.raises(exception.MethodNotAllowed) as info:
        routes.check(method, path)
    assert info.value.kwargs['allowed'] == ', '.join(sorted(METHODS[path]))


@pytest.mark.parametrize('path', NOTHING)
@pytest.mark.parametrize('method', EVERY)
def test_what_there_is_not(path, method):
    with pytest.raises(exception.RouteNotFound, match='nothing at /'):
        routes.check(method, path)


@pytest.mark.parametrize(
    'path', ['/v2/devices', '/', '/v2', '/v2/x/reconciler']
)
def test_what_is_cyborgs(path):
    assert not routes.is_ours(path)


@pytest.mark.parametrize('path', [*METHODS, *NOTHING[:-2]])
def test_what_is_ours(path):
    assert routes.is_ours(path) == ('/v2/v2' not in path)


def test_each_route_has_a_policy():
    # It is by the policies that routes are found.
    assert all(
        operation['path'].startswith('/v2/')
        for rule in policies.list_policies()
        for operation in rule.operations
    )
