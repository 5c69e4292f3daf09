# SPDX-License-Identifier: Apache-2.0


"""Device contexts by the API, for what a test is not about."""

import typing as ty

from tests.e2e import person, waiting

_PATH = '/device_contexts'
_ATTACHMENTS = 'os-device-contexts'


def create(owner: person.Person, **body: ty.Any) -> str:
    """Make a device context; by default one that the first host can serve.

    :returns: its UUID.
    """
    if not body.keys() & {'resources', 'groups', 'device_profile'}:
        body['resources'] = {'FPGA_GZIP': 1}
    made = owner.accelerator.post(_PATH, json=body).json()
    return str(made['uuid'])


def show(owner: person.Person, context_id: str) -> dict[str, ty.Any]:
    """Return what the API says of a device context."""
    found: dict[str, ty.Any] = owner.accelerator.get(
        f'{_PATH}/{context_id}'
    ).json()
    return found


def every(owner: person.Person) -> list[dict[str, ty.Any]]:
    """Return all device contexts of the owner's project."""
    found: list[dict[str, ty.Any]] = owner.accelerator.get(_PATH).json()[
        'device_contexts'
    ]
    return found


def exists(owner: person.Person, context_id: str) -> bool:
    """Tell whether there is such a device context in the project."""
    response = owner.accelerator.get(f'{_PATH}/{context_id}', raise_exc=False)
    assert response.status_code in (200, 404), response.text
    return response.status_code == 200


def delete(owner: person.Person, context_id: str) -> None:
    """Delete a device context; one that is gone already is no harm."""
    owner.accelerator.delete(f'{_PATH}/{context_id}', raise_exc=False)


def wait_until(owner: person.Person, context_id: str, status: str) -> None:
    """Wait until a device context has a status."""
    waiting.until(
        f'device context {context_id} to be {status}',
        lambda: show(owner, context_id)['status'] == status,
    )


def attach(
    owner: person.Person,
    server_id: str,
    context_id: str,
    tag: str | None = None,
) -> None:
    """Attach a device context to a server, and wait until it has it."""
    asked = {'device_context_id': context_id}
    if tag is not None:
        asked['tag'] = tag
    owner.compute.post(
        f'/servers/{server_id}/{_ATTACHMENTS}',
        json={'deviceContextAttachment': asked},
    )
    _wait_after(owner, context_id, 'attaching', 'bound')


def detach(owner: person.Person, server_id: str, context_id: str) -> None:
    """Detach a device context from a server, and wait until it is free."""
    owner.compute.delete(f'/servers/{server_id}/{_ATTACHMENTS}/{context_id}')
    _wait_after(owner, context_id, 'detaching', 'available')


def _wait_after(
    owner: person.Person, context_id: str, before: str, status: str
) -> None:
    """Wait for a status, which is to come directly after another one."""

    def has() -> bool:
        found = show(owner, context_id)
        assert found['status'] in (before, status), found
        return bool(found['status'] == status)

    waiting.until(f'device context {context_id} to be {status}', has)
