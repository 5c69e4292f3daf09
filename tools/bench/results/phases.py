# SPDX-License-Identifier: Apache-2.0

"""The phases of an operation, from the lines that the services write.

Of what is done at one moment in one phase, only that moment counts, however
many lines are about it.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import re
import typing as ty

from tools.bench.model import measured

Record: ty.TypeAlias = dict[str, ty.Any]

#: What the user waits for, looked at a few times a second.
USER = 'user'
#: From when the first service begins until the last one has ended.
WHOLE = 'whole'
#: nova-api, with the user's own requests.
API = 'API'
#: What nova-conductor does about accelerators, and waits for.
CONDUCTOR = 'conductor'
#: What nova-compute does about accelerators, and waits for.
COMPUTE = 'compute'
#: cyborg-api and cyborg-conductor, for whom the others wait.
CYBORG = 'Cyborg'
#: Of nova-api, what it waits for Cyborg.
API_CYBORG = 'API for Cyborg'
#: The accelerator part: conductor and compute, with Cyborg's time.
ACCELERATORS = 'accelerators'
PHASES = (WHOLE, API, CONDUCTOR, COMPUTE, CYBORG, API_CYBORG, ACCELERATORS)

_NOVA_API, _CYBORG_API = 'nova-api', 'cyborg-api'
_SERVICES = {CONDUCTOR: 'nova-conductor', COMPUTE: 'nova-compute'}
_CYBORGS = (_CYBORG_API, 'cyborg-conductor')
_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
# What Cyborg tells Nova is no request of the user's.
_EVENTS = '/os-server-external-events'


@dataclasses.dataclass(frozen=True)
class Found:
    """What an operation took.

    :ivar seconds: seconds by phase.
    :ivar counts: see :class:`.measured.Sample`.
    :ivar units: the same.
    """

    seconds: dict[str, float]
    counts: dict[str, int]
    units: list[measured.Unit]


def of(
    records: collections.abc.Iterable[Record], cyborg_port: int | None
) -> Found:
    """Find the phases of an operation.

    :param records: the lines about it.
    :param cyborg_port: the port of Cyborg's API.
    :returns: what it took.
    """
    known = list(records)
    timed = [each for each in known if 'begin' in each]

    def is_of_cyborg(record: Record) -> bool:
        return record['kind'] == 'call' and (
            record.get('to') == 'accelerator'
            or record.get('port') == cyborg_port
        )

    def seconds(
        chosen: collections.abc.Callable[[Record], bool],
    ) -> float:
        return union((r['begin'], r['end']) for r in timed if chosen(r))

    found = {
        WHOLE: _whole(timed),
        API: seconds(_is_request),
        CYBORG: seconds(lambda r: r['role'] in _CYBORGS and _is_unit(r)),
        API_CYBORG: seconds(
            lambda r: r['role'] == _NOVA_API and is_of_cyborg(r)
        ),
    }
    for phase, role in _SERVICES.items():
        found[phase] = seconds(
            lambda r, role=role: (
                _role(r) == role  # type: ignore[misc]
                and (r['kind'] == 'part' or is_of_cyborg(r))
            )
        )
    found[ACCELERATORS] = found[CONDUCTOR] + found[COMPUTE]
    counts = _counts(known)
    counts['calls of Cyborg'] = sum(map(is_of_cyborg, timed))
    return Found(found, dict(counts), _units(timed))


def union(
    intervals: collections.abc.Iterable[tuple[float, float]],
) -> float:
    """Return how long at least one of several intervals lasts.

    :param intervals: the begin and the end of each.
    """
    total, until = 0.0, float('-inf')
    for begin, end in sorted(intervals):
        total += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return total


def _whole(timed: list[Record]) -> float:
    services = [each for each in timed if _is_unit(each)]
    if not services:
        return 0.0
    begin = min(each['begin'] for each in services)
    return float(max(each['end'] for each in services) - begin)


def _is_unit(record: Record) -> bool:
    return bool(record['kind'] == 'unit')


def _is_request(record: Record) -> bool:
    return (
        _is_unit(record)
        and record['role'] == _NOVA_API
        and not record['name'].endswith(_EVENTS)
    )


def _role(record: Record) -> str:
    """Return the service that a line is of.

    A thread that it has begun does not know it; the process may.
    """
    if record['role']:
        return str(record['role'])
    program = str(record['program'])
    return next(
        (role for role in _SERVICES.values() if program.startswith(role)), ''
    )


def _counts(records: list[Record]) -> collections.Counter[str]:
    found: collections.Counter[str] = collections.Counter()
    for record in records:
        if record['kind'] in ('unit', 'apart'):
            for what in ('statements', 'transactions', 'writes'):
                found[f'{record["role"]} {what}'] += record.get(what, 0)
        elif record['kind'] == 'rpc':
            found['messages'] += 1
    return found


def _units(timed: list[Record]) -> list[measured.Unit]:
    units = sorted(filter(_is_unit, timed), key=lambda r: r['begin'])
    return [
        measured.Unit(
            unit['role'],
            _UUID.sub('{id}', unit['name']),
            unit['end'] - unit['begin'],
            unit.get('statements', 0),
            unit.get('writes', 0),
            _messages(timed, unit),
            unit.get('size', 0),
        )
        for unit in units
    ]


def _messages(timed: list[Record], unit: Record) -> int:
    """Count the messages that a unit of work has sent."""
    return sum(
        record['kind'] == 'rpc'
        and record['role'] == unit['role']
        and unit['begin'] <= record['begin'] <= unit['end']
        for record in timed
    )
