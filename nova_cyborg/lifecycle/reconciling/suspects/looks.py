# SPDX-License-Identifier: Apache-2.0

"""What all that look for what disagrees have in common."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_cyborg.lifecycle.reconciling import report
from nova_cyborg.lifecycle.reconciling.suspects import memory, watch


@dataclasses.dataclass(frozen=True)
class Looks:
    """How they look, and whom they tell.

    :ivar grace: seconds between the two looks.
    :ivar report: is told of what is found and repaired, and knows which
        servers something was repaired of.
    :ivar remembered: what another process has seen.
    """

    grace: float
    report: report.Report
    remembered: memory.Memory

    def suspects(self) -> watch.Suspects[ty.Any]:
        """Return what disagrees among rows of one kind: none as yet."""
        return watch.Suspects(self.grace, self.remembered)

    def watch(self) -> watch.Watch[ty.Any]:
        """Return servers of one kind that are not settled: none as yet."""
        return watch.Watch(self.grace, self.remembered)
