# SPDX-License-Identifier: Apache-2.0

"""A cloud that is reconciled: real Cyborg code and a database."""

from tests.functional.api import conftest as api  # isort: skip - first

import types

import pytest
from cyborg import context as cyborg_context
from cyborg.conductor import rpcapi

from nova_cyborg.cyborg.conductor.reconciler import loop, rounds
from nova_cyborg.db.reconciler import leases
from nova_cyborg.lifecycle.reconciling import allocations
from tests.functional.audit import conftest as audit

# Its fixtures are those of the API's tests and of the audit's.
admin, boot, cloud, member, nova = (
    api.admin,
    api.boot,
    api.cloud,
    api.member,
    api.nova,
)
placement, profile_arq = audit.placement, api.profile_arq
run, running = audit.run, audit.running


class Reconciler:
    """A process that reconciles, whose ticks follow each other at once."""

    def __init__(self, host='controller1', **settings):
        defaults = {'interval': 10, 'grace': 0, 'budget': 60, 'resync': 20}
        self.settings = rounds.Settings(**defaults | settings)
        self.loop = loop.Loop(host, self.settings, rpcapi.ConductorAPI())

    def tick(self, times=1):
        for _n in range(times):
            pause = self.loop.tick()
        return pause

    @property
    def report(self):
        context = cyborg_context.get_admin_context()
        return leases.read(context, leases.RECONCILER).report


@pytest.fixture
def reconciler(cloud, placement):
    """Two looks are two ticks; what is looked at in turn has four."""
    return Reconciler()


@pytest.fixture
def clock(monkeypatch):
    """Time for what Placement says, which goes on when it is told to."""
    now = [1000.0]
    monkeypatch.setattr(
        allocations, 'time', types.SimpleNamespace(monotonic=lambda: now[0])
    )

    def advance(seconds):
        now[0] += seconds

    return advance


@pytest.fixture
def lost_cell(cloud):
    """Has one of Nova's cells be down."""
    cloud.nova.cell_is_down = True
