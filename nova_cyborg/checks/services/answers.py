# SPDX-License-Identifier: Apache-2.0

"""What the answers of nova-conductors mean."""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as ty

from nova_cyborg.checks import results
from nova_cyborg.nova import features
from nova_cyborg.nova.features import asking, presence


@dataclasses.dataclass(frozen=True)
class Conductor:
    """A nova-conductor.

    :ivar host: the host it is known by.
    :ivar cell: the name of its cell.
    """

    host: str
    cell: str

    def __str__(self) -> str:
        return f'{self.host} (cell {self.cell})'


@dataclasses.dataclass
class Found:
    """What became of asking.

    :ivar answers: what those with the plugin said.
    :ivar without: those that have not the plugin.
    :ivar silent: those that are up and did not answer, and why.
    :ivar down: those that have not reported for a while.
    :ivar unheard: those whose bus is the memory of another process.
    """

    answers: dict[Conductor, dict[str, ty.Any]] = dataclasses.field(
        default_factory=dict
    )
    without: list[Conductor] = dataclasses.field(default_factory=list)
    silent: dict[Conductor, str] = dataclasses.field(default_factory=dict)
    down: list[Conductor] = dataclasses.field(default_factory=list)
    unheard: list[Conductor] = dataclasses.field(default_factory=list)


def judge(found: Found) -> results.Result:
    """Say what the answers mean.

    :param found: the answers.
    :returns: the result.
    """
    return results.worst(
        _problems(found),
        f'All {len(found.answers)} nova-conductors have the plugin: '
        f'{_names(found.answers)}.',
    )


def _problems(found: Found) -> collections.abc.Iterator[results.Result]:
    if found.without:
        yield results.failure(
            'These nova-conductors run without the plugin, and build servers '
            f'without their device contexts: {_names(found.without)}. Set '
            '[oslo_messaging_notifications] driver = nova_cyborg in their '
            'nova.conf, and restart them.'
        )
    if found.silent:
        reasons = ', '.join(
            f'{conductor}: {reason}'
            for conductor, reason in found.silent.items()
        )
        yield results.failure(
            'These nova-conductors are up and did not answer on the message '
            f'bus within {asking.SECONDS} s: {reasons}. Check that this '
            "command has the nova.conf of Nova's API or of a super-conductor, "
            'and that their logs tell of no trouble with the bus.'
        )
    if found.down:
        yield results.warning(
            f'These nova-conductors are down: {_names(found.down)}. Start '
            'them and check again, or delete their records with "openstack '
            'compute service delete".'
        )
    if found.unheard:
        yield results.warning(
            f'These nova-conductors cannot be asked: {_names(found.unheard)}. '
            'Their message bus is the memory of their own process '
            '(transport_url = fake:), which is for labs. Look for '
            '"nova_cyborg is active in" in their logs.'
        )
    if found == Found():
        yield results.failure(
            'Nova has no record of a nova-conductor. Check that this command '
            "has the nova.conf of Nova's API or of a super-conductor."
        )
    yield from _differences(found.answers)


def _differences(
    answers: collections.abc.Mapping[Conductor, dict[str, ty.Any]],
) -> collections.abc.Iterator[results.Result]:
    releases = _by_value(answers, lambda answer: answer['release'])
    if len(releases) > 1:
        yield results.warning(
            f'The nova-conductors have different releases of nova_cyborg '
            f'({_spread(releases)}). Finish the upgrade.'
        )
    unable = [
        conductor
        for conductor, answer in answers.items()
        if not set(features.ALL).issubset(answer.get('features', ()))
    ]
    if unable:
        yield results.warning(
            'These nova-conductors cannot do all that this release does with '
            'device contexts of servers that exist: to move the servers, and '
            f'to attach. nova-api refuses it: {_names(unable)}. Upgrade them.'
        )
    for name in presence.SHARED_OPTIONS:
        # A release before this one has fewer.
        known = {
            conductor: answer
            for conductor, answer in answers.items()
            if name in answer['options']
        }
        values = _by_value(known, lambda answer: answer['options'][name])  # noqa: B023
        if len(values) > 1:
            yield results.warning(
                f'The nova-conductors have different values of [nova_cyborg] '
                f'{name} ({_spread(values)}). Give all of them the same, and '
                'restart them.'
            )


def _by_value(
    answers: collections.abc.Mapping[Conductor, dict[str, ty.Any]],
    read: collections.abc.Callable[[dict[str, ty.Any]], ty.Any],
) -> dict[str, list[Conductor]]:
    grouped: dict[str, list[Conductor]] = {}
    for conductor, answer in answers.items():
        value = read(answer)
        if isinstance(value, list | tuple):
            value = ','.join(value)
        grouped.setdefault(str(value), []).append(conductor)
    return grouped


def _spread(values: dict[str, list[Conductor]]) -> str:
    return '; '.join(
        f'{value}: {_names(conductors)}'
        for value, conductors in values.items()
    )


def _names(conductors: collections.abc.Iterable[Conductor]) -> str:
    return ', '.join(str(conductor) for conductor in conductors)
