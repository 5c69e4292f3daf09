# SPDX-License-Identifier: Apache-2.0

"""What has lost what it belongs to is repaired among other steps.

As in :mod:`.test_interleavings`, hypothesis chooses the steps. A process dies
after some of them, and leaves a row; more steps come between the two looks at
it, and between the transactions of the repair.
"""

import typing as ty

import hypothesis
import pytest
import sqlalchemy as sa
from cyborg.conductor import rpcapi
from cyborg.db.sqlalchemy import models
from hypothesis import strategies as st

from nova_cyborg.db import tables
from nova_cyborg.db.inventory import handles
from nova_cyborg.lifecycle import bind
from nova_cyborg.lifecycle.reconciling import holders as of_contexts
from nova_cyborg.lifecycle.reconciling import leftovers, pending, report
from nova_cyborg.lifecycle.reconciling.suspects import looks, memory
from tests.functional.api.conftest import MEDIATED
from tests.functional.reconciler import test_interleavings as interleavings

pytestmark = pytest.mark.slow

# Looks until each kind of row was looked at twice.
_LOOKS = 8
_ARQ, _HANDLE = models.ExtArq, models.AttachHandle


class Damage:
    """What a process leaves that dies, made with SQL, by kind.

    :param story: the server that it was at work for.
    """

    def __init__(self, story: interleavings.Story) -> None:
        self._story = story

    def make(self, kind: str) -> None:
        """Leave something; nothing if there is nothing of the kind."""
        hypothesis.note(f'a process dies: {kind}')
        with self._story.cloud.engine.begin() as connection:
            getattr(self, kind.replace('-', '_'))(connection)

    def binding_not_finished(self, connection: ty.Any) -> None:
        """Its thread was not begun; see :class:`Story`."""

    def handle_of_no_arq(self, connection: ty.Any) -> None:
        """It has taken a slot, and not said for whom."""
        connection.execute(
            sa.update(_HANDLE)
            .where(
                _HANDLE.id
                == sa.select(sa.func.max(_HANDLE.id))
                .where(_HANDLE.in_use.is_(False))
                .scalar_subquery()
            )
            .values(in_use=True)
        )

    def free_handle_of_arq(self, connection: ty.Any) -> None:
        """It has given a slot back that an ARQ has."""
        connection.execute(
            sa.update(_HANDLE).where(handles.IS_USED).values(in_use=False)
        )

    def link_of_no_arq(self, connection: ty.Any) -> None:
        """It has deleted ARQs, and given their slots back, and no more."""
        connection.execute(
            sa.update(_HANDLE).where(handles.IS_USED).values(in_use=False)
        )
        connection.execute(sa.delete(_ARQ))

    def arq_of_no_context(self, connection: ty.Any) -> None:
        """It has not said which device context an ARQ is of."""
        connection.execute(sa.delete(tables.DeviceContextArq))


KINDS = (
    'binding-not-finished',
    'handle-of-no-arq',
    'free-handle-of-arq',
    'link-of-no-arq',
    'arq-of-no-context',
)


class Looks:
    """Looks at rows, as one that reconciles does.

    :param cloud: the cloud, in which a binding ends before the next look.
    """

    def __init__(self, cloud: ty.Any) -> None:
        self._cloud = cloud
        self.found = report.Report()
        shared = looks.Looks(0, self.found, memory.Memory())
        self._steps = (
            pending.Pending(shared, rpcapi.ConductorAPI()),
            leftovers.Leftovers(shared),
        )

    def take(self, times: int = _LOOKS // 2) -> None:
        """Look some times at each kind of row."""
        for _n in range(times):
            for step in self._steps:
                step.look(report.Budget(60))
                self._cloud.drain()


def _devices(world: interleavings.World, kind: str) -> dict[str, str]:
    """Return the devices for a kind: those that Cyborg's job binds."""
    if kind not in ('binding-not-finished', 'handle-of-no-arq'):
        return world.nodes
    return {
        node: world.cloud.add_device(slots=8, host=node, **MEDIATED)
        for node in interleavings.NODES
    }


@pytest.fixture
def world(cloud, placement, admin, member, nova):
    return interleavings.World(cloud, admin, member, nova)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize('kind', KINDS)
@hypothesis.settings(
    max_examples=interleavings.EXAMPLES,
    phases=interleavings.PHASES,
    deadline=None,
    derandomize=interleavings.EXAMPLES <= 50,
    database=None,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(plan=interleavings.PLANS, bound=st.booleans())
def test_a_row_among_other_steps(world, monkeypatch, kind, plan, bound):
    # A cyborg-conductor is at nothing: each call is over.
    for module in (pending, leftovers):
        monkeypatch.setattr(module, '_MAKING', 0)
    world.clear()
    with monkeypatch.context() as patch:
        patch.setattr(world, 'nodes', _devices(world, kind))
        story = interleavings.Story(world)
        for step in plan.before:
            story.do(step)
        _die(story, kind, monkeypatch, bound)
        looks = Looks(world.cloud)
        looks.take()
        story.seen = world.nova.generation(story.server_id)
        for step in plan.between:
            story.do(step)

        def meanwhile(number: int) -> None:
            for step in plan.during.get(number, ()):
                story.do(step)

        with interleavings.interrupted(monkeypatch, meanwhile):
            looks.take()
        hypothesis.note(f'repaired: {dict(looks.found.repaired)}')
        # Nothing of what was begun since is lost.
        assert story.new <= story.arqs()
        looks.take(_LOOKS)
        world.check()

        # It still can be brought to a host, and leaves nothing.
        world.cloud.nova.change(story.server_id, 'BUILD', 'spawning')
        for step in ('release', 'reserve', 'begin', 'bind compute1'):
            story.do(step)
        assert world.member.status_of(story.context_id) == 'bound'
        for step in ('release', 'delete_profile'):
            story.do(step)
        story.say(of_contexts.GONE)
        looks.take(_LOOKS)
        world.check_empty()
        assert world.cloud.count(models.DeviceProfile) == 1


def _die(
    story: interleavings.Story,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    bound: bool,
) -> None:
    """Have a process die that was at work for a server."""
    if kind == 'binding-not-finished':
        with monkeypatch.context() as patch:
            patch.setattr(bind, '_run', lambda *_args: None)
            for step in ('begin', 'bind compute1'):
                story.do(step)
    elif bound:
        for step in ('begin', 'bind compute1'):
            story.do(step)
    Damage(story).make(kind)
