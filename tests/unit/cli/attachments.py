# SPDX-License-Identifier: Apache-2.0

"""Nova's side of device contexts that are attached to servers."""

import collections.abc
import typing as ty

import pytest

from nova_cyborg.cli.servers import waiting
from tests.unit.cli import conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, SERVER_ID, Cloud

PATH = f'/servers/{SERVER_ID}/os-device-contexts'
MEMBER = f'{PATH}/{CONTEXT_ID}'
ATTACHMENT = {
    'device_context_id': CONTEXT_ID,
    'server_id': SERVER_ID,
    'name': 'zip',
    'status': 'bound',
    'tag': 'gzip',
    'devices': [
        {
            'type': 'PCI',
            'slot': '0000:0c:00.1',
            'group': 0,
            'accelerator_request_id': OTHER_ID,
        }
    ],
}
BEGUN = ATTACHMENT | {'status': 'attaching', 'devices': []}
HELD = {'server_id': SERVER_ID}
SENTENCE = 'The host of server vm1 has no free device for it.'
# What a Nova without the routes answers.
NO_ROUTE = {
    'code': '404 Not Found',
    'title': 'Not Found',
    'message': 'The resource could not be found.<br /><br />\n\n\n',
}


def error(status: int, word: str, sentence: str) -> dict[str, ty.Any]:
    """An error in Nova's form, as an answer of ``requests_mock``."""
    body = {word: {'code': status, 'message': sentence}}
    return {'status_code': status, 'json': body}


def nova(cloud: Cloud, method: str, path: str, answer: ty.Any) -> None:
    """Let Nova answer a request."""
    cloud.mock.register_uri(method, conftest.NOVA + path, **answer)


def serve(cloud: Cloud, names: collections.abc.Sequence[str]) -> None:
    """Let Nova have servers: by their ids and names."""
    version = {'id': 'v2.1', 'status': 'CURRENT', 'links': []}
    version |= {'version': '2.100', 'min_version': '2.1'}
    for url in (conftest.NOVA, f'{conftest.NOVA}/'):
        cloud.mock.get(url, json={'version': version})
    servers = [
        {'id': server_id, 'name': name, 'links': []}
        for server_id, name in zip((SERVER_ID, OTHER_ID), names, strict=False)
    ]
    nova(cloud, 'GET', '/servers', {'json': {'servers': []}})
    for name in names:
        # As databases do that take small letters for capitals.
        same = [
            each for each in servers if each['name'].lower() == name.lower()
        ]
        nova(
            cloud,
            'GET',
            f'/servers?name=%5E{name}%24',
            {'json': {'servers': same}},
        )
    for server in servers:
        path = f'/servers/{server["id"]}'
        nova(cloud, 'GET', path, {'json': {'server': server}})


def serve_routes(cloud: Cloud) -> None:
    """Let Nova attach a device context, and detach it."""
    key = 'deviceContextAttachment'
    for method, path, answer in (
        ('POST', PATH, {'status_code': 202, 'json': {key: BEGUN}}),
        ('GET', PATH, {'json': {f'{key}s': [ATTACHMENT]}}),
        ('GET', MEMBER, {'json': {key: ATTACHMENT}}),
        ('DELETE', MEMBER, {'status_code': 202}),
    ):
        nova(cloud, method, path, answer)


def no_sleep(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have waiting take no time; return the seconds of each pause."""
    seconds: list[float] = []
    monkeypatch.setattr(waiting.time, 'sleep', seconds.append)
    monkeypatch.setattr(waiting.time, 'monotonic', lambda: sum(seconds))
    return seconds


def asked(cloud: Cloud) -> list[tuple[str, ty.Any]]:
    """Return the method and body of each request for device contexts."""
    return [
        (request.method, request.json() if request.body else None)
        for request in cloud.requests(conftest.NOVA)
        if 'os-device-contexts' in request.url
    ]


def statuses(cloud: Cloud, *contexts: dict[str, ty.Any]) -> None:
    """Let Cyborg show a device context as it becomes, one after the other."""
    cloud.mock.get(
        f'{conftest.CYBORG}/device_contexts/{CONTEXT_ID}',
        [{'json': conftest.context(**fields)} for fields in contexts],
    )
