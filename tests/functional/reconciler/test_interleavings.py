# SPDX-License-Identifier: Apache-2.0

"""What is begun between a look and its repair is left alone.

Steps of Nova come by chance, with each repair somewhere among them: what the
repair has seen may be long over. ``NOVA_CYBORG_SEED`` says which.
"""

import os
import random
import uuid

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg import exception
from nova_cyborg.db.reconciler import holders
from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle.reconciling import holders as reconciling
from tests.functional.api.conftest import providers

STEPS = 7
RUNS = 12
SEED = int(os.environ.get('NOVA_CYBORG_SEED', '20'))
# What Nova says of the server when it is looked at, and when it is repaired,
# by the repair: the worst that can be, as it is always found.
SAYS = {
    'held-by-no-server': None,
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
}


class Story:
    """A server, and what is done with it."""

    def __init__(self, cloud, member, nova, chance):
        self.cloud, self.nova, self.chance = cloud, nova, chance
        self.context_id = member.create_one()
        self.server_id = cloud.nova.boot()
        self.nodes = {
            node: cloud.add_device(slots=8, host=node)
            for node in ('compute1', 'compute2')
        }
        self.done = []
        self.nova.reserve(self.server_id, self.context_id)

    def step(self):
        name = self.chance.choice(
            ['begin', 'bind', 'bind', 'move', 'unbind', 'reserve', 'release']
        )
        self.done.append(name)
        getattr(self, name)()

    def begin(self):
        self.nova.begin(
            self.server_id, operation=str(uuid.uuid4()), status='*'
        )

    def bind(self, **more):
        node = self.chance.choice(sorted(self.nodes))
        self.nova.bind(
            self.server_id,
            providers(self.nodes[node], self.context_id),
            host=node,
            status='*',
            **more,
        )
        self.cloud.drain()

    def move(self):
        self.begin()
        self.bind(migration=str(uuid.uuid4()))

    def unbind(self):
        self.nova.unbind(self.server_id, status='*')

    def release(self):
        self.nova.release(self.server_id, status='*')

    def reserve(self):
        self.nova.reserve(self.server_id, self.context_id, status='*')

    def holder(self):
        context = cyborg_context.get_admin_context()
        return next(iter(holders.unsettled(context)), None)

    def arqs(self):
        with self.cloud.engine.connect() as connection:
            return set(connection.scalars(sa.select(models.ExtArq.uuid)))

    def say(self, kind):
        """Have Nova say what the repair is for."""
        said = SAYS[kind]
        if said is None:
            self.cloud.nova.servers.pop(self.server_id)
        else:
            self.cloud.nova.change(self.server_id, said['status'])
            self.cloud.nova.servers[self.server_id] |= said


def check_rows(cloud):
    """Each slot in use has one ARQ, and each ARQ its slot."""
    with cloud.engine.connect() as connection:
        used = list(
            connection.scalars(
                sa.select(models.AttachHandle.id).where(
                    models.AttachHandle.in_use.is_(True)
                )
            )
        )
        given = list(
            connection.scalars(sa.select(models.ExtArq.attach_handle_id))
        )
    assert sorted(used) == sorted(given)


@pytest.mark.parametrize('run', range(RUNS))
@pytest.mark.parametrize('kind', SAYS)
def test_a_repair_among_other_steps(cloud, member, nova, kind, run):
    chance = random.Random(f'{SEED} {kind} {run}')  # noqa: S311
    story = Story(cloud, member, nova, chance)
    looked, repaired = sorted(chance.sample(range(STEPS + 1), 2))
    for number in range(STEPS + 1):
        if number == looked:
            seen = story.holder()
        if number == repaired and seen is not None:
            if _repair(story, kind, seen) and kind == reconciling.GONE:
                # With its server.
                member.show(story.context_id, status=404)
                assert not story.arqs()
                return
            break
        story.step()

    check_rows(cloud)
    # It still can be brought to a host.
    cloud.nova.change(story.server_id, 'BUILD', 'spawning')
    story.release()
    story.reserve()
    story.begin()
    story.bind()
    assert member.status_of(story.context_id) == 'bound', story.done
    check_rows(cloud)


def _repair(story, kind, seen):
    before, now = story.arqs(), story.holder()
    story.say(kind)
    try:
        done = reconciling.Holders.repair(kind, seen, listed=False)
    except (exception.StaleGeneration, exception.StillBound):
        done = False

    if now is None or now.generation != seen.generation:
        # Something was begun since: nothing of it is lost.
        assert story.arqs() == before, (story.done, done)
    assert done or story.arqs() == before
    return done and now is not None
