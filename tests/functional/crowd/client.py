# SPDX-License-Identifier: Apache-2.0

"""One of many clients that work on the same device contexts."""

import collections.abc
import random
import typing as ty

import webtest

from tests.functional.api import cyborg
from tests.functional.crowd import account

#: What clients change, and what answers are compared by.
FIELDS = ('name', 'description', 'tags', 'revision')
_TAGS = [f'tag{number}' for number in range(6)]
#: How many requests to create there are: each is sent by several clients.
KEYS = 12
# What is answered to whom comes too late, or is told what there was before.
_REFUSED = {
    404: 'not_found',
    409: 'idempotency_key.spent',
    412: 'changed',
}


class Client:
    """A member of the project.

    :param app: the WSGI application.
    :param number: the client's own.
    :param uuids: the device contexts; those that it makes are put there.
    :param told: where its answers go.
    """

    def __init__(
        self, app: ty.Any, number: int, uuids: list[str], told: account.Account
    ) -> None:
        self._caller = cyborg.Caller(webtest.TestApp(app))
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
        answer = self._caller.call(
            method, f'/v2/device_contexts{path}', *body, status='*', **more
        )
        status = answer.status_int
        self._told.note(intent, status)
        if status < 300:
            return answer
        code = cyborg.error_of(answer)['code']
        if not code.endswith(_REFUSED.get(status, '-')):
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
        body = {'resources': {'FPGA': 1}, 'name': key, 'tags': ['tag0']}
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
