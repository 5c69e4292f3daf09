# SPDX-License-Identifier: Apache-2.0


"""Device contexts by the API, for what a test is not about."""

import typing as ty

from tests.e2e import person, waiting

_PATH = '/device_contexts'


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
