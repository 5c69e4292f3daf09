# SPDX-License-Identifier: Apache-2.0

"""Whether every nova-conductor has the plugin.

Nova's databases name them, and each is asked on the message bus of its cell;
:mod:`nova_cyborg.nova.features.presence` says why they are asked.
"""

from __future__ import annotations

import collections.abc

from nova import context as nova_context
from nova import objects, servicegroup

from nova_cyborg.checks import results
from nova_cyborg.checks.services import answers
from nova_cyborg.nova.features import asking
from nova_cyborg.nova.features import conductors as nova_conductors


def check() -> results.Result:
    """Ask all of them."""
    found = answers.Found()
    asked: dict[answers.Conductor, asking.Asking] = {}
    admin = nova_context.get_admin_context()
    for cell in objects.CellMappingList.get_all(admin):
        with nova_context.target_cell(admin, cell) as context:
            asked.update(_ask_cell(context, cell, found))
    asking.wait(asked.values())
    for conductor, each in asked.items():
        _record(conductor, each, found)
    return answers.judge(found)


def _ask_cell(
    context: nova_context.RequestContext,
    cell: objects.CellMapping,
    found: answers.Found,
) -> collections.abc.Iterator[tuple[answers.Conductor, asking.Asking]]:
    groups = servicegroup.API()
    for service in objects.ServiceList.get_by_binary(
        context, nova_conductors.BINARY, include_disabled=True
    ):
        conductor = answers.Conductor(service.host, cell.name or cell.uuid)
        if groups.service_is_up(service):
            yield (
                conductor,
                nova_conductors.start(
                    context, service.host, asking.SECONDS, asking.TIMES
                ),
            )
        else:
            found.down.append(conductor)


def _record(
    conductor: answers.Conductor, asked: asking.Asking, found: answers.Found
) -> None:
    """Say what became of asking a conductor.

    :param conductor: the conductor.
    :param asked: what was asked at its queue.
    :param found: where to say it.
    """
    if None in asked.answers:
        found.without.append(conductor)
    elif not asked.problem:
        found.answers[conductor] = asked.answers[-1] or {}
    elif asked.is_of_another_process:
        found.unheard.append(conductor)
    else:
        found.silent[conductor] = asked.problem
