# SPDX-License-Identifier: Apache-2.0

"""As many accelerators as there are to be, in all databases of a cloud."""

from __future__ import annotations

import typing as ty

from tools.bench.population import contexts, cyborg, names, nova, placement
from tools.bench.population import template as template_module


class _Copies(ty.Protocol):
    def add(self, part: names.Part) -> None:
        """Add what is of servers, their hosts and cards."""


class Population:
    """The accelerators of a cloud that are bound.

    :param template: a server that runs, which others are made as copies of.
        Nothing asks for it later.
    """

    def __init__(self, template: template_module.Template) -> None:
        self._copies: list[_Copies] = [
            nova.Nova(template),
            placement.Placement(template),
            cyborg.Cyborg(template),
        ]
        if template.context_id:
            self._copies.append(contexts.Contexts(template))

    def add(self, part: names.Part) -> None:
        """Add accelerators that are bound.

        :param part: which ones.
        """
        for each in self._copies:
            each.add(part)
