# SPDX-License-Identifier: Apache-2.0


"""Servers by the API, for what a test is not about."""

import collections.abc
import functools
import itertools
import typing as ty

from tests.e2e import person, waiting

_numbers = itertools.count(1)


def boot(
    owner: person.Person,
    *context_ids: str,
    flavor: str = 'm1.small',
    **fields: ty.Any,
) -> str:
    """Ask for a server; the device contexts go into its hint unchecked.

    :returns: its UUID.
    """
    body = request(owner, *context_ids, flavor=flavor, **fields)
    made = owner.compute.post('/servers', json=body).json()
    return str(made['server']['id'])


def request(
    owner: person.Person,
    *context_ids: str,
    flavor: str = 'm1.small',
    **fields: ty.Any,
) -> dict[str, ty.Any]:
    """Return the body of the request for a server."""
    server = {
        'name': f'api-{next(_numbers)}',
        'imageRef': _image(owner),
        'flavorRef': _flavor(owner, flavor),
        'networks': 'none',
        **fields,
    }
    body: dict[str, ty.Any] = {'server': server}
    if context_ids:
        hints = {'device_context_id': list(context_ids)}
        body['os:scheduler_hints'] = hints
    return body


def boot_active(
    owner: person.Person, *context_ids: str, **fields: ty.Any
) -> str:
    """Boot a server and wait until it is ACTIVE.

    :returns: its UUID.
    """
    server_id = boot(owner, *context_ids, **fields)
    wait_active(owner, server_id)
    return server_id


def show(owner: person.Person, server_id: str) -> dict[str, ty.Any]:
    """Return what the API says of a server."""
    found = owner.compute.get(f'/servers/{server_id}').json()
    server: dict[str, ty.Any] = found['server']
    return server


def named(owner: person.Person, name: str) -> list[dict[str, ty.Any]]:
    """Return the servers whose names begin so, oldest first."""
    found = owner.compute.get(
        '/servers/detail?sort_key=created_at&sort_dir=asc'
    ).json()['servers']
    return [each for each in found if each['name'].startswith(name)]


def every(owner: person.Person) -> list[str]:
    """Return the UUIDs of all servers of the owner's project."""
    found = owner.compute.get('/servers').json()['servers']
    return [str(each['id']) for each in found]


def wait_active(owner: person.Person, server_id: str) -> None:
    """Wait until a server runs and nothing is done to it any more."""
    wait_status(owner, server_id, 'ACTIVE')


def wait_status(owner: person.Person, server_id: str, status: str) -> None:
    """Wait until a server has a status, and no task is under way."""

    def reached() -> bool:
        server = show(owner, server_id)
        assert server['status'] != 'ERROR', server.get('fault')
        return (
            server['status'] == status
            and server['OS-EXT-STS:task_state'] is None
        )

    waiting.until(f'server {server_id} to be {status}', reached)


def wait_fault(owner: person.Person, server_id: str) -> dict[str, ty.Any]:
    """Wait until a server has failed.

    :returns: its fault, with ``code`` and ``message``.
    """

    def failed() -> bool:
        server = show(owner, server_id)
        assert server['status'] != 'ACTIVE', 'it is ACTIVE, and must not be'
        return server['status'] == 'ERROR' and 'fault' in server

    waiting.until(f'server {server_id} to be in ERROR', failed)
    fault: dict[str, ty.Any] = show(owner, server_id)['fault']
    return fault


def act(owner: person.Person, server_id: str, **action: ty.Any) -> None:
    """Do something to a server, such as ``reboot={'type': 'HARD'}``."""
    owner.compute.post(f'/servers/{server_id}/action', json=action)


def delete(
    owner: person.Person, server_ids: collections.abc.Iterable[str]
) -> None:
    """Delete servers, and wait until they are gone."""
    for server_id in server_ids:
        owner.compute.delete(f'/servers/{server_id}', raise_exc=False)
    for server_id in server_ids:
        waiting.until(
            f'server {server_id} to be gone',
            functools.partial(is_gone, owner, server_id),
        )


def is_gone(owner: person.Person, server_id: str) -> bool:
    """Tell whether there is no such server any more."""
    response = owner.compute.get(f'/servers/{server_id}', raise_exc=False)
    assert response.status_code in (200, 404), response.text
    return response.status_code == 404


@functools.cache
def _image(owner: person.Person) -> str:
    images = owner.image.get('/v2/images?name=cirros').json()['images']
    return str(images[0]['id'])


def _flavor(owner: person.Person, name: str) -> str:
    flavors = owner.compute.get('/flavors').json()['flavors']
    return next(str(each['id']) for each in flavors if each['name'] == name)
