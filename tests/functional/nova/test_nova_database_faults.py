# SPDX-License-Identifier: Apache-2.0

"""The database of Nova or of Placement refuses a write on the way.

When our code has begun something, and Nova cannot go on. Nova itself may not
be able to say so: then somebody deletes the server. Each operation meets
one after a host is claimed; the others are in the folder ``every``.
"""

from tests.functional.nova import faulty  # isort: skip - first

import time
import typing as ty

import sqlalchemy as sa
from oslo_db import exception as db_exc

_STUCK_SECONDS = 15


def write(verb: str, table: str, skip: int = 0) -> dict[str, ty.Any]:
    return {'verb': verb, 'table': table, 'skip': skip}


#: What a host is claimed by.
CLAIM = write('INSERT', 'allocations')


class Databases:
    """The databases in this process: all but Cyborg's."""

    def refuse(self, verb: str, table: str, skip: int) -> None:
        """Refuse a write to a table, after some others."""
        self.refused = False
        passing = iter(range(skip))

        def listen(
            _connection: object, _cursor: object, statement: str, *_: object
        ) -> None:
            words = statement.split()
            if self.refused or words[0] != verb or table not in words[1:3]:
                return
            if next(passing, None) is not None:
                return
            self.refused = True
            raise db_exc.DBError('the disk is full')

        event = (sa.engine.Engine, 'before_cursor_execute', listen)
        sa.event.listen(*event)
        self.addCleanup(sa.event.remove, *event)

    def wait_until_idle(self, server: dict[str, ty.Any]) -> str:
        """Wait, but not for what will not come."""
        end = time.monotonic() + _STUCK_SECONDS
        while time.monotonic() < end:
            found = self.admin_api.get_server(server['id'])
            done = found['OS-EXT-STS:task_state'] is None
            if done and found['status'] in self.FINAL:
                return found['status']
            time.sleep(0.2)
        return faulty.STUCK

    def heal(self) -> None:
        """Check that it was refused."""
        super().heal()
        self.assertTrue(self.refused)


@faulty.tested_with('refuse', {'take_it': write('UPDATE', 'instances')})
class BootTest(Databases, faulty.Boot):
    """A server is booted."""


@faulty.tested_with(
    'refuse',
    {'claim': CLAIM, 'take_it': write('UPDATE', 'instances', skip=1)},
)
class UnshelveTest(Databases, faulty.Unshelve):
    """A server is unshelved."""


@faulty.tested_with('refuse', {'note_it': write('UPDATE', 'migrations')})
class EvacuateTest(Databases, faulty.Evacuate):
    """A server is evacuated."""
