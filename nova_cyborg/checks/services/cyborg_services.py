# SPDX-License-Identifier: Apache-2.0

"""Whether cyborg-conductors and cyborg-agents have the plugin.

:mod:`nova_cyborg.cyborg.presence` says how they are asked.
"""

from __future__ import annotations

import collections.abc
import functools

import oslo_messaging as messaging
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.conf import CONF

from nova_cyborg.checks import results
from nova_cyborg.cyborg import presence
from nova_cyborg.db import session
from nova_cyborg.db.inventory import hosts
from nova_cyborg.nova.features import asking

# Cyborg has no record of its conductors: how many there are is not known.
_CONDUCTOR_TIMES = 12
# Agents that are asked at a time: each has a thread that waits for it.
_AT_ONCE = 64
_SET = (
    'Set [oslo_messaging_notifications] driver = nova_cyborg in their '
    'cyborg.conf, and restart them.'
)
_BUS_OF_A_PROCESS = (
    'Their message bus is the memory of their own process (transport_url = '
    'fake:), which is for labs. Look for "nova_cyborg is active in" in their '
    'logs.'
)


def conductors() -> results.Result:
    """Check that all cyborg-conductors have the plugin, or none has."""
    asked = _asking(
        constants.CONDUCTOR_TOPIC, None, _bus(), times=_CONDUCTOR_TIMES
    )
    asking.wait([asked])
    with_it = [answer for answer in asked.answers if answer]
    if asked.problem and asked.is_of_another_process:
        return results.warning(
            f'The cyborg-conductors cannot be asked. {_BUS_OF_A_PROCESS}'
        )
    if asked.problem:
        return results.failure(
            'The cyborg-conductors did not answer on the message bus within '
            f'{asking.SECONDS} s: {asked.problem}. Check that one is up, and '
            'that its log tells of no trouble with the bus.'
        )
    if not with_it:
        return results.warning(
            'The cyborg-conductors run without the plugin: what is said of '
            f'this cyborg.conf holds for them. {_SET}'
        )
    if len(with_it) < len(asked.answers):
        return results.failure(
            'Some of the cyborg-conductors run without the plugin: they '
            'delete, and give away again, what those with it keep for its '
            f'server. {_names(with_it)} has it. On the other hosts: {_SET}'
        )
    return results.worst(
        _releases('cyborg-conductors', with_it),
        'All cyborg-conductors that answered have the plugin: '
        f'{_names(with_it)}.',
    )


def agents() -> results.Result:
    """Check that the cyborg-agents have the plugin that have use for it."""
    session.named_engine()
    context = cyborg_context.get_admin_context()
    bus = _bus()
    names = sorted(hosts.names(context))
    asked: dict[str, asking.Asking] = {}
    for start in range(0, len(names), _AT_ONCE):
        some = {
            host: _asking(constants.AGENT_TOPIC, host, bus, times=1)
            for host in names[start : start + _AT_ONCE]
        }
        asking.wait(some.values())
        asked |= some
    with_it = [
        answer for each in asked.values() for answer in each.answers if answer
    ]
    return results.worst(
        (
            *_agents_without(asked, hosts.cleaned(context)),
            *_silent_agents(asked),
            *_releases('cyborg-agents', with_it),
        ),
        f'Of {len(asked)} cyborg-agents, {len(with_it)} have the plugin. The '
        'others have no slots to clean.',
    )


def _bus() -> messaging.transport.Transport:
    # Not that of Cyborg's own module: to make it is to activate the plugin.
    return messaging.get_rpc_transport(CONF)


def _asking(
    topic: str,
    host: str | None,
    bus: messaging.transport.Transport,
    times: int,
) -> asking.Asking:
    ask = functools.partial(presence.ask, bus, topic, host, asking.SECONDS)
    started = asking.Asking(bus, ask, times)
    started.start()
    return started


def _agents_without(
    asked: collections.abc.Mapping[str, asking.Asking], cleaned: set[str]
) -> collections.abc.Iterator[results.Result]:
    found = [
        host
        for host, each in asked.items()
        if host in cleaned and None in each.answers
    ]
    if found:
        yield results.warning(
            'The cyborg-agents of these hosts run without the plugin, though '
            'slots of their devices are to be cleaned: '
            f'{", ".join(found)}. What servers give back there is not given '
            f'again. {_SET}'
        )


def _silent_agents(
    asked: collections.abc.Mapping[str, asking.Asking],
) -> collections.abc.Iterator[results.Result]:
    found = [host for host, each in asked.items() if each.problem]
    if not found:
        return
    if asked[found[0]].is_of_another_process:
        yield results.warning(
            'The cyborg-agents of these hosts cannot be asked: '
            f'{", ".join(found)}. {_BUS_OF_A_PROCESS}'
        )
    else:
        yield results.warning(
            'The cyborg-agents of these hosts did not answer on the message '
            f'bus within {asking.SECONDS} s: {", ".join(found)}. Start '
            'them, and see that [DEFAULT] host of their cyborg.conf is the '
            'name given here: what Cyborg asks of an agent goes to that name.'
        )


def _releases(
    services: str, answers: collections.abc.Iterable[dict[str, str]]
) -> collections.abc.Iterator[results.Result]:
    by_release: dict[str, list[dict[str, str]]] = {}
    for answer in answers:
        by_release.setdefault(answer['release'], []).append(answer)
    if len(by_release) > 1:
        spread = '; '.join(
            f'{release}: {_names(found)}'
            for release, found in by_release.items()
        )
        yield results.warning(
            f'The {services} have different releases of nova_cyborg '
            f'({spread}). Finish the upgrade.'
        )


def _names(answers: collections.abc.Iterable[dict[str, str]]) -> str:
    return ', '.join(sorted({answer['host'] for answer in answers}))
