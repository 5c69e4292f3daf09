# SPDX-License-Identifier: Apache-2.0

"""Requests that schemathesis makes from the document, by all who may call."""

from tests.fuzz import world  # isort: skip - first

import collections
import collections.abc
import contextlib
import dataclasses
import random
import time
import typing as ty
import uuid
from unittest import mock

import hypothesis.strategies as st
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.fuzz import gate

#: What chance begins with.
SEED = 20_261_130
_DOCUMENT = '/v2/device_context_openapi'
# Where a request names what there is, by what that is.
_NAMED = {
    'path.uuid': 'contexts',
    'path.server_id': 'servers',
    'query.marker': 'contexts',
    'query.server_id': 'servers',
    'query.device_uuid': 'devices',
    'body.device_contexts[*]': 'contexts',
    'body.device_context': 'contexts',
    'body.device_uuid': 'devices',
    'body.resource_providers[*]': 'providers',
    'body.caller': 'callers',
    'header.If-Match': 'conditions',
}
_LETTERS = st.characters(
    categories=('L', 'N', 'P', 'S'), exclude_characters='/,_'
)
# Strings of the formats that the document names.
_FORMATS = {
    'text': st.text(_LETTERS),
    'name': st.text(_LETTERS, min_size=1),
    'device-tag': st.text(_LETTERS, min_size=1),
    'tag': st.text(_LETTERS, min_size=1),
    'time-or-date': st.dates().map(
        lambda each: each.replace(year=2026, day=1).isoformat()
    ),
}
for _name, _strategy in _FORMATS.items():
    schemathesis.openapi.format(_name, _strategy)


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much is tried.

    :ivar examples: how many requests by chance of each operation, and how
        many stories of several requests.
    :ivar each_bound: whether each bound of each field is tried, too.
    """

    examples: int
    each_bound: bool


LONG = Effort(examples=20, each_bound=True)
SHORT = Effort(examples=1, each_bound=False)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What has come of the requests of somebody.

    :ivar requests: how many there were.
    :ivar seconds: how long they took.
    :ivar answered: how often each status was answered, by operation.
    :ivar findings: what is wrong.
    """

    requests: int
    seconds: float
    answered: collections.abc.Mapping[tuple[str, int], int]
    findings: list[str]


def run(persona: world.Persona, effort: Effort, seed: int = SEED) -> Outcome:
    """Have somebody call, and look at all answers.

    :param persona: who calls.
    :param effort: how much they try.
    :param seed: what chance begins with: with the same, the requests are the
        same.
    :returns: what has come of it.
    """
    begun = time.monotonic()
    with _repeatable(seed), world.World() as cloud:
        app = gate.Gate(cloud.app, persona)
        before = {each: cloud.seen_by(each) for each in persona.untouched}
        schema = schemathesis.openapi.from_wsgi(
            _DOCUMENT,
            app,
            config=_config(cloud.known_to(persona), effort, seed),
            headers={'X-Auth-Token': gate.TOKEN},
        )
        findings = list(_failures(schema))
        findings += [
            f'project {project} sees changes'
            for project, seen in before.items()
            if cloud.seen_by(project) != seen
        ]
    return Outcome(
        app.requests,
        time.monotonic() - begun,
        app.answered,
        app.findings + findings,
    )


@contextlib.contextmanager
def _repeatable(seed: int) -> collections.abc.Iterator[None]:
    """Have UUIDs that are made up be the same each time."""
    chance = random.Random(seed)  # noqa: S311 - nobody is to be kept from it

    def make() -> uuid.UUID:
        return uuid.UUID(int=chance.getrandbits(128), version=4)

    with mock.patch.object(uuid, 'uuid4', make):
        yield


def _config(
    known: collections.abc.Mapping[str, list[str]], effort: Effort, seed: int
) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            'seed': seed,
            'base-url': 'http://cyborg.test/',
            'auth': {
                'openapi': {
                    'token': {'api_key': gate.TOKEN},
                    'service_token': {'api_key': gate.SERVICE_TOKEN},
                }
            },
            'dictionaries': {
                name: {'values': values} for name, values in known.items()
            },
            'parameters': {
                where: {'dictionary': name, 'probability': 0.6}
                for where, name in _NAMED.items()
            },
            'phases': {'coverage': {'enabled': effort.each_bound}},
            'generation': {
                'max-examples': effort.examples,
                'database': 'none',
                'no-shrink': True,
            },
            'checks': {
                # Its requests do not reach an application in the process;
                # some without a token are sent all the same.
                'ignored_auth': {'enabled': False},
                # What a schema cannot say is refused, too.
                'positive_data_acceptance': {'enabled': False},
            },
        }
    )


def _failures(schema: ty.Any) -> collections.abc.Iterator[str]:
    """Carry a campaign out; say what schemathesis finds wrong."""
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            yield f'schemathesis fails: {event}'
        if isinstance(event, events.ScenarioFinished):
            for checks in event.recorder.checks.values():
                for check in checks:
                    if check.failure_info is not None:
                        yield (
                            f'{event.recorder.label}: {check.name}: '
                            f'{check.failure_info.failure}\n'
                            f'{check.failure_info.code_sample}'
                        )
