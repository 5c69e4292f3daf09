# SPDX-License-Identifier: Apache-2.0

"""One of many clients that work on the same device contexts.

Each is a member of the project, and now and then Nova, which gives what they
work on to servers.
"""

import collections.abc
import random
import typing as ty

import webtest

from nova_cyborg import model
from tests.functional.api import conftest, cyborg
from tests.functional.crowd import account

#: What clients change, and what answers are compared by.
FIELDS = ('name', 'description', 'tags', 'revision')
_TAGS = [f'tag{number}' for number in range(6)]
#: How many requests to create there are: each is sent by several clients.
KEYS = 12
# What is answered to whom comes too late, or is told what there was before.
_REFUSED = {
    404: ('device_context.not_found', 'tag_not_found'),
    409: ('idempotency_key.spent', 'device_context.in_use'),
    412: ('device_context.changed',),
}
#: Those that a server may be given are kept when it is gone.
KEPT = {'resources': {'FPGA': 1}, 'delete_on_termination': False}
# How often a server is looked at until its devices are bound.
_LOOKS = 20


class Client:
    """A member of the project, and Nova on their behalf.

    :param cloud: the cloud.
    :param provider: UUID of the resource provider that has devices.
    :param number: the client's own.
    :param uuids: the device contexts; those that it makes are put there.
    :param told: where its answers go.
    """

    def __init__(
        self,
        cloud: cyborg.CyborgFixture,
        provider: str,
        number: int,
        uuids: list[str],
        told: account.Account,
    ) -> None:
        self._cloud = cloud
        self._provider = provider
        api = webtest.TestApp(cloud.app)
        self._caller = cyborg.Caller(api)
        self._nova = cyborg.Caller(api, service=True)
        self._number = number
        self._random = random.Random(number)  # noqa: S311
        self._uuids = uuids
        self._told = told
        self._count = 0

    def run(self, steps: int) -> None:
        """Do so many things, one after the other."""
        intents: list[tuple[collections.abc.Callable[[str], None], int]] = [
            (self.rename, 4),
            (self.append, 6),
            (self.add_tag, 4),
            (self.remove_tag, 3),
            (self.set_tags, 2),
            (self.show, 3),
            (self.explain, 2),
            (self.list_, 1),
            (self.create, 2),
            (self.delete, 1),
            (self.serve, 5),
        ]
        chosen = self._random.choices(
            [each for each, _weight in intents],
            [weight for _each, weight in intents],
            k=steps,
        )
        for intent in chosen:
            intent(self._random.choice(self._uuids))

    def _word(self) -> str:
        """Return a word that nobody else has, nor had."""
        self._count += 1
        return f'c{self._number}-{self._count}'

    def _call(
        self,
        intent: str,
        method: str,
        path: str,
        *body: ty.Any,
        **more: ty.Any,
    ) -> webtest.TestResponse | None:
        """Send a request; returns the answer, or None if it was refused."""
        return self._send(
            self._caller,
            intent,
            method,
            f'/v2/device_contexts{path}',
            *body,
            **more,
        )

    def _send(
        self,
        caller: cyborg.Caller,
        intent: str,
        *request: ty.Any,
        **more: ty.Any,
    ) -> webtest.TestResponse | None:
        answer = caller.call(*request, status='*', **more)
        status = answer.status_int
        self._told.note(intent, status)
        if status < 300:
            return answer
        code = cyborg.error_of(answer)['code']
        if not code.endswith(_REFUSED.get(status, ())):
            self._told.error(f'{intent}: {answer.text}')
        return None

    def rename(self, uuid: str) -> None:
        """Change it, whoever else does."""
        name = self._word()
        answer = self._call('rename', 'patch_json', f'/{uuid}', {'name': name})
        self._changed(uuid, answer, {'name': name})

    def append(self, uuid: str) -> None:
        """Add to what is there, unless somebody else changes it meanwhile."""
        shown = self._call('read', 'get', f'/{uuid}')
        if shown is None:
            return
        text = f'{shown.json["description"] or ""} {self._word()}'
        answer = self._call(
            'append',
            'patch_json',
            f'/{uuid}',
            {'description': text},
            headers={'If-Match': shown.headers['ETag']},
        )
        revision = shown.json['revision']
        self._changed(uuid, answer, {'description': text}, revision)

    def add_tag(self, uuid: str) -> None:
        tag = self._random.choice(_TAGS)
        answer = self._call('add tag', 'put', f'/{uuid}/tags/{tag}')
        if answer is not None and answer.status_int == 201:
            self._tagged(uuid, answer, lambda tags: {*tags, tag})

    def remove_tag(self, uuid: str) -> None:
        tag = self._random.choice(_TAGS)
        answer = self._call('remove tag', 'delete', f'/{uuid}/tags/{tag}')
        if answer is not None:
            self._tagged(uuid, answer, lambda tags: {*tags} - {tag})

    def set_tags(self, uuid: str) -> None:
        tags = self._random.sample(_TAGS, 3)
        answer = self._call(
            'set tags', 'put_json', f'/{uuid}/tags', {'tags': tags}
        )
        if answer is not None:
            self._tagged(uuid, answer, lambda _tags: set(tags))

    def show(self, uuid: str) -> None:
        shown = self._call('show', 'get', f'/{uuid}')
        if shown is not None:
            self._told.see(uuid, _fields(shown.json))

    def explain(self, uuid: str) -> None:
        self._call('explain', 'post_json', f'/{uuid}/explain', {})

    def list_(self, _uuid: str) -> None:
        found = self._call('list', 'get', '')
        assert found is not None
        for each in found.json['device_contexts']:
            self._told.see(each['uuid'], _fields(each))

    def create(self, _uuid: str) -> None:
        """Ask for one that others ask for as well."""
        key = f'key-{self._random.randrange(KEYS)}'
        body = {**KEPT, 'name': key, 'tags': ['tag0']}
        headers = {'Idempotency-Key': key}
        made = self._call('create', 'post_json', '', body, headers=headers)
        if made is not None:
            self._told.make(made.json['uuid'], _fields(made.json), key)
            self._uuids.append(made.json['uuid'])

    def delete(self, uuid: str) -> None:
        """Delete it if it is as it was seen, or whatever it is."""
        headers = {}
        if self._random.random() < 0.5:
            shown = self._call('read', 'get', f'/{uuid}')
            if shown is not None:
                headers = {'If-Match': shown.headers['ETag']}
        answer = self._call('delete', 'delete', f'/{uuid}', headers=headers)
        if answer is not None:
            self._told.delete(uuid)

    def serve(self, uuid: str) -> None:
        """Have a server hold some, with devices, for a while, as Nova does.

        In any order: others may want the same in another one.
        """
        more = self._random.choices(self._uuids, k=self._random.randrange(3))
        uuids = list(dict.fromkeys([uuid, *more]))
        server_id = self._cloud.nova.boot()
        path = f'/v2/device_allocations/{server_id}'
        body = {'device_contexts': uuids, 'caller': cyborg.CALLER}
        reserved = self._send(self._nova, 'reserve', 'put_json', path, body)
        if reserved is None:
            return
        for each in uuids:
            self._told.take(each, server_id)
        body = {
            'hostname': 'compute1',
            'resource_providers': conftest.providers(self._provider, *uuids),
            'generation': reserved.json['generation'],
        }
        self._send(self._nova, 'bind', 'post_json', f'{path}/bind', body)
        self._look_at_devices(server_id, uuids)
        self._told.give_back(server_id)
        self._send(self._nova, 'release', 'delete', path)

    def _look_at_devices(self, server_id: str, uuids: list[str]) -> None:
        """Look until they are bound, or a few times."""
        for uuid in uuids:
            for _n in range(_LOOKS):
                shown = self._call('show', 'get', f'/{uuid}')
                if shown is None or shown.json['server_id'] != server_id:
                    self._told.error(f'{uuid} was taken from {server_id}')
                    return
                self._told.see(uuid, _fields(shown.json))
                if shown.json['status'] != model.Status.BINDING:
                    break
            status = shown.json['status']
            self._told.note(status, 0)
            if status == model.Status.BOUND:
                for device in shown.json['devices']:
                    self._told.take(device['slot'], server_id)

    def _changed(
        self,
        uuid: str,
        answer: webtest.TestResponse | None,
        fields: account.Fields,
        based_on: int | None = None,
    ) -> None:
        if answer is None:
            return
        self._told.change(
            account.Change(
                uuid=uuid,
                revision=_revision(answer),
                apply=lambda state: state | fields,
                seen=_fields(answer.json),
                based_on=based_on,
            )
        )

    def _tagged(
        self,
        uuid: str,
        answer: webtest.TestResponse,
        change: collections.abc.Callable[[list[str]], set[str]],
    ) -> None:
        self._told.change(
            account.Change(
                uuid=uuid,
                revision=_revision(answer),
                apply=lambda state: (
                    state | {'tags': sorted(change(state['tags']))}
                ),
                seen=answer.json if answer.body else {},
            )
        )


def _revision(answer: webtest.TestResponse) -> int:
    return int(answer.headers['ETag'].strip('"'))


def _fields(shown: account.Fields) -> account.Fields:
    return {name: shown[name] for name in FIELDS}
