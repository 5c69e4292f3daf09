# SPDX-License-Identifier: Apache-2.0

"""What is begun between a look and its repair is left alone.

hypothesis chooses steps of Nova's, and where among them something is looked at
and repaired: what the repair has seen may be long over. Other steps come while
it repairs, between two of its transactions, as those of another process do.
Of what fails, it finds the shortest story, and prints it.
"""

import collections.abc
import contextlib
import dataclasses
import os
import threading
import typing as ty
import uuid

import hypothesis
import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from hypothesis import strategies as st

from nova_cyborg import exception
from nova_cyborg.db import session, tables
from nova_cyborg.db.reconciler import holders, profile_arqs
from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle.reconciling import holders as of_contexts
from nova_cyborg.lifecycle.reconciling import profile_arqs as of_profiles
from tests.functional.api.conftest import providers

pytestmark = pytest.mark.slow

# Stories of each kind, the same each time: some three a second.
EXAMPLES = int(os.environ.get('NOVA_CYBORG_EXAMPLES', '8'))
# More than these are others each time.
_FEW = 50
PHASES = (hypothesis.Phase.generate, hypothesis.Phase.shrink)
NODES = ('compute1', 'compute2')
_SLOTS = 8
# At most as many steps before a look, between it and the repair, and in it.
MOST_STEPS = 5
# Where in a repair another step may be: it has no more transactions.
MOST_TRANSACTIONS = 12

# What Nova says of the server when it is repaired, by the repair: the worst
# that can be, as it is always found.
SAYS: dict[str, dict[str, ty.Any] | None] = {
    of_contexts.GONE: None,
    'held-by-failed-server': {
        'status': 'ERROR',
        'OS-EXT-SRV-ATTR:host': None,
        'OS-SRV-USG:launched_at': None,
    },
    'devices-of-offloaded-server': {
        'status': 'SHELVED_OFFLOADED',
        'OS-EXT-SRV-ATTR:host': None,
    },
    'devices-left-behind': {'status': 'ACTIVE', nova_api.NODE: 'compute1'},
    'devices-on-another-host': {
        'status': 'ERROR',
        nova_api.NODE: 'compute1',
        'OS-EXT-SRV-ATTR:host': 'compute1',
        'OS-SRV-USG:launched_at': '2026-01-01T00:00:00.000000',
    },
    of_profiles.GONE: None,
}
# What says that something was begun since.
_CHANGED = (
    exception.AlreadyBegun,
    exception.OtherAttempt,
    exception.StaleGeneration,
    exception.StillBound,
)

STEP = st.sampled_from(
    (
        'reserve',
        'begin',
        *(f'bind {node}' for node in NODES),
        *(f'move {node}' for node in NODES),
        'activate',
        'settle',
        'unbind',
        'end_move',
        'release',
        'profile',
        'delete_profile',
    )
)
STEPS = st.lists(STEP, max_size=MOST_STEPS)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What happens.

    :ivar before: steps before the look.
    :ivar between: steps between the look and the repair.
    :ivar during: steps while it is repaired, by the number of the transaction
        that they come before.
    """

    before: list[str]
    between: list[str]
    during: dict[int, list[str]]


PLANS = st.builds(
    Plan,
    before=STEPS,
    between=STEPS,
    during=st.dictionaries(
        st.integers(0, MOST_TRANSACTIONS),
        st.lists(STEP, min_size=1, max_size=3),
        max_size=2,
    ),
)


class Story:
    """A server, and what is done with it.

    A step is what a service of Nova's calls, with what it knows: an attempt
    binds with the generation that it has begun with.

    :ivar seen: the generation that was looked at; None before the look.
    :ivar released: whether all was released since.
    :ivar begun: whether an attempt was begun since.
    :ivar of_profile: whether what is looked at has ARQs of profiles alone.
    :ivar new: ARQs of such attempts, or of profiles since, which no step has
        unbound.
    """

    def __init__(self, world: 'World') -> None:
        self.cloud, self.nova = world.cloud, world.nova
        self.nodes = world.nodes
        self.context_id = world.member.create_one(delete_on_termination=False)
        self.server_id = self.cloud.nova.boot()
        self.generation = 0
        self.migration = str(uuid.uuid4())
        self.seen: int | None = None
        self.released = self.begun = self.of_profile = False
        self.new: set[str] = set()
        self.do('reserve')

    def do(self, step: str) -> None:
        """Do a step, whatever it is answered."""
        hypothesis.note(step)
        before = self.arqs()
        name, *arguments = step.split()
        getattr(self, f'_{name}')(*arguments)
        self.cloud.drain()
        now = self.arqs()
        self.new &= now
        if self.begun or (self.seen is not None and self.of_profile):
            self.new |= now - before

    def _reserve(self) -> None:
        self._take(
            self.nova.reserve(self.server_id, self.context_id, status='*')
        )

    def _begin(self) -> None:
        self._take(
            self.nova.begin(
                self.server_id, operation=str(uuid.uuid4()), status='*'
            )
        )

    def _take(self, answer: ty.Any) -> None:
        if answer.status_int != 200:
            return
        self.generation = answer.json['generation']
        if self.seen is not None:
            self.begun |= self.released or self.generation != self.seen

    def _bind(self, node: str, **more: ty.Any) -> None:
        self.nova.bind(
            self.server_id,
            providers(self.nodes[node], self.context_id),
            host=node,
            generation=self.generation,
            status='*',
            **more,
        )

    def _move(self, node: str) -> None:
        self._begin()
        self.migration = str(uuid.uuid4())
        self._bind(node, migration=self.migration)

    def _activate(self) -> None:
        self._of_move('activate')

    def _settle(self) -> None:
        self._of_move('settle')

    def _end_move(self) -> None:
        self._of_move('unbind')

    def _of_move(self, action: str) -> None:
        self.nova.call(
            'post_json',
            f'/v2/device_allocations/{self.server_id}/{action}',
            {'migration': self.migration},
            status='*',
        )

    def _unbind(self) -> None:
        self.nova.unbind(self.server_id, self.generation, status='*')

    def _release(self) -> None:
        self.nova.release(self.server_id, status='*')
        self.released = self.seen is not None

    def _profile(self) -> None:
        """As stock Nova does, which takes back what is refused."""
        (arq,) = self.nova.post(
            '/v2/accelerator_requests', {'device_profile_name': 'profile'}
        ).json['arqs']
        values = {
            'hostname': 'compute1',
            'device_rp_uuid': self.nodes['compute1'],
            'instance_uuid': self.server_id,
        }
        patch = [
            {'path': f'/{name}', 'op': 'add', 'value': value}
            for name, value in values.items()
        ]
        answer = self.nova.call(
            'patch_json',
            '/v2/accelerator_requests',
            {arq['uuid']: patch},
            status='*',
        )
        if answer.status_int != 202:
            self.nova.delete_arqs(f'arqs={arq["uuid"]}')

    def _delete_profile(self) -> None:
        self.nova.delete_arqs(f'instance={self.server_id}', status='*')

    def arqs(self) -> set[str]:
        """Return the UUIDs of all ARQs."""
        with self.cloud.engine.connect() as connection:
            return set(connection.scalars(sa.select(models.ExtArq.uuid)))

    def say(self, kind: str) -> None:
        """Have Nova say what the repair is for."""
        said = SAYS[kind]
        if said is None:
            self.cloud.nova.servers.pop(self.server_id, None)
        else:
            self.cloud.nova.change(self.server_id, said['status'])
            self.cloud.nova.servers[self.server_id] |= said

    def look(self, kind: str) -> ty.Any:
        """Look at it; return what is seen, if there is something."""
        context = cyborg_context.get_admin_context()
        self.seen = self.nova.generation(self.server_id)
        self.of_profile = kind == of_profiles.GONE
        found: collections.abc.Iterable[ty.Any] = (
            profile_arqs.unsettled(context)
            if self.of_profile
            else holders.unsettled(context)
        )
        return next(iter(found), None)


class World:
    """A cloud in which one story after the other is told."""

    def __init__(
        self, cloud: ty.Any, admin: ty.Any, member: ty.Any, nova: ty.Any
    ) -> None:
        self.cloud, self.member, self.nova = cloud, member, nova
        groups = [{'resources:FPGA': '1'}]
        admin.post(
            '/v2/device_profiles', [{'name': 'profile', 'groups': groups}]
        )
        self.nodes = {
            node: cloud.add_device(slots=_SLOTS, host=node) for node in NODES
        }

    def clear(self) -> None:
        """Forget what a story that has failed has left."""
        with self.cloud.engine.begin() as connection:
            for table in (
                tables.DeviceContextArq,
                tables.DeviceBinding,
                tables.DeviceContext,
                tables.DeviceAllocation,
                tables.SettledArq,
                models.ExtArq,
            ):
                connection.execute(sa.delete(table))
            connection.execute(
                sa.update(models.AttachHandle).values(in_use=False)
            )

    def check(self) -> None:
        """Each slot in use has one ARQ, and each ARQ its slot."""
        used = sa.select(models.AttachHandle.id).where(
            models.AttachHandle.in_use.is_(True)
        )
        given = sa.select(models.ExtArq.attach_handle_id)
        with self.cloud.engine.connect() as connection:
            assert sorted(connection.scalars(used)) == sorted(
                connection.scalars(given)
            )

    def check_empty(self) -> None:
        """Nothing is left of a server that has released all."""
        assert self.cloud.used_slots() == 0
        for table in (
            models.ExtArq,
            tables.DeviceAllocation,
            tables.DeviceBinding,
            tables.DeviceContextArq,
        ):
            assert self.cloud.count(table) == 0, table


@pytest.fixture
def world(cloud, placement, admin, member, nova):
    return World(cloud, admin, member, nova)


@contextlib.contextmanager
def interrupted(
    monkeypatch: pytest.MonkeyPatch,
    work: collections.abc.Callable[[int], object],
) -> collections.abc.Iterator[None]:
    """Do something before each transaction of this thread's.

    :param work: is told the number of the transaction.
    """
    number, busy = -1, False

    def before(transaction: ty.Any) -> ty.Any:
        @contextlib.contextmanager
        def wrapped(*args: ty.Any) -> collections.abc.Iterator[ty.Any]:
            nonlocal number, busy
            if threading.get_ident() == mine and not busy:
                busy = True
                number += 1
                try:
                    work(number)
                    with transaction(*args) as db:
                        yield db
                finally:
                    busy = False
            else:
                with transaction(*args) as db:
                    yield db

        return wrapped

    mine = threading.get_ident()
    with monkeypatch.context() as patch:
        for name in ('reading', 'writing'):
            patch.setattr(session, name, before(getattr(session, name)))
        yield


@pytest.mark.timeout(3600)
@pytest.mark.parametrize('kind', SAYS)
@hypothesis.settings(
    max_examples=EXAMPLES,
    phases=PHASES,
    deadline=None,
    derandomize=EXAMPLES <= _FEW,
    database=None,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(plan=PLANS)
def test_a_repair_among_other_steps(world, monkeypatch, kind, plan):
    world.clear()
    story = Story(world)
    for step in plan.before:
        story.do(step)
    seen = story.look(kind)
    hypothesis.note(f'look: {seen}')
    for step in plan.between:
        story.do(step)

    if seen is not None:
        story.say(kind)
        hypothesis.note('repair')

        def meanwhile(number: int) -> None:
            for step in plan.during.get(number, ()):
                story.do(step)

        with interrupted(monkeypatch, meanwhile):
            _repair(story, kind, seen)
        story.cloud.drain()
    # Nothing of what was begun since is lost.
    assert story.new <= story.arqs()
    world.check()

    # It still can be brought to a host, and leaves nothing.
    story.cloud.nova.change(story.server_id, 'BUILD', 'spawning')
    for step in ('release', 'reserve', 'begin', 'bind compute1'):
        story.do(step)
    assert world.member.status_of(story.context_id) == 'bound'
    world.check()
    for step in ('release', 'delete_profile'):
        story.do(step)
    world.check_empty()


def _repair(story: Story, kind: str, seen: ty.Any) -> bool:
    """Repair what was seen; tell whether that was done."""
    repairs: ty.Any = (
        of_profiles.ProfileArqs
        if kind == of_profiles.GONE
        else of_contexts.Holders
    )
    before = story.arqs()
    try:
        done: bool = repairs.repair(kind, seen, listed=False)
    except _CHANGED as exc:
        hypothesis.note(f'not repaired: {exc}')
        return False
    hypothesis.note(f'repaired: {done}, {len(before - story.arqs())} ARQs')
    return done
