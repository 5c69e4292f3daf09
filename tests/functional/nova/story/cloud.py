# SPDX-License-Identifier: Apache-2.0

"""A cloud whose hosts have agents."""

from tests.functional.nova.story import checks  # isort: skip - first

import pathlib
import typing as ty

import fixtures
import requests
from nova.servicegroup.drivers import db
from nova.tests.fixtures import libvirt as fakelibvirt
from nova_cyborg.nova.features import computes

from tests.functional.nova import hotplug
from tests.functional.nova.moves import moving, running

# Seconds between two ticks of the reconciler.
_TICK = 0.2
# What it may give back before Nova does, which says first that a server is
# gone, or was never built.
_GONE = frozenset(
    {'held-by-no-server', 'arqs-of-no-server', 'held-by-failed-server'}
)
# The program that cleans: it waits and fails if it is told to.
_SCRIPT = """
while test -e "$0/wait"; do sleep 0.05; done
if test -e "$0/fail"; then echo 'It burns.' >&2; exit 1; fi
echo "$1" >> "$0/cleaned"
"""


class TestCase(checks.TestCase):
    """Two compute nodes with agents."""

    HOSTS = ('compute1', 'compute2')

    def setUp(self) -> None:
        super().setUp()
        # The services report once, and this goes on for long.
        self.useFixture(
            fixtures.MockPatchObject(db.DbDriver, 'is_up', return_value=True)
        )
        self.flags(shelved_offload_time=0)
        # A nova-compute that is killed withdraws nothing; one that is stopped
        # does so when the next one is there already, in these tests.
        self.useFixture(fixtures.MockPatchObject(computes, 'withdraw'))
        self._number_guests()
        self.useFixture(
            hotplug.Hotplug(
                lambda: [each.driver for each in self.computes.values()]
            )
        )
        self.useFixture(moving.NoDisks())
        self.useFixture(
            running.LiveMigrations(
                lambda host: self.computes[host].driver._host.get_connection()
            )
        )
        self.folders = {
            host: pathlib.Path(self.useFixture(fixtures.TempDir()).path)
            for host in self.HOSTS
        }
        self.addCleanup(self._end_programs)
        self._start_hosts()
        # Before what it asks is gone.
        self.addCleanup(self.cyborg.control, 'stop_reconciling')

    def _number_guests(self) -> None:
        """Give a guest that starts another number, as libvirt does.

        By it, Nova sees that a guest has started anew by itself.
        """
        mark = fakelibvirt.Connection._mark_running

        def number(connection: ty.Any, domain: ty.Any) -> None:
            domain._id = connection._id_counter
            mark(connection, domain)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{fakelibvirt.__name__}.Connection._mark_running', number
            )
        )

    def _start_hosts(self) -> None:
        self.cyborg.control(
            'start_hosts',
            placement=self._placement_url,
            folders={host: str(path) for host, path in self.folders.items()},
        )
        self.cyborg.control(
            'start_reconciling',
            placement=self._placement_url,
            interval=_TICK,
        )

    def _end_programs(self) -> None:
        for folder in self.folders.values():
            (folder / 'wait').unlink(missing_ok=True)

    def cleaning(self, host: str) -> dict[str, ty.Any]:
        """Return how slots of a host are cleaned, as a devices file has it."""
        program = ['/bin/sh', '-c', _SCRIPT, str(self.folders[host])]
        return {'program': program, 'timeout': 3600}

    def cleaned(self, host: str) -> set[str]:
        """Return the slots that were cleaned since this was asked last."""
        path = self.folders[host] / 'cleaned'
        if not path.exists():
            return set()
        found = path.rename(path.with_suffix('.read'))
        return set(found.read_text().split())

    def report(
        self, host: str, cards: list[dict[str, ty.Any]], kill: int = 0
    ) -> bool:
        """Have the agent of a host report.

        :param kill: the number of the SQL statement at which Cyborg is killed.
        :returns: whether it was.
        """
        try:
            self.cyborg.control('report', host=host, entries=cards, kill=kill)
        except requests.ConnectionError:
            self.cyborg.start_again()
            self._start_hosts()
            self.cyborg.control('expire_reports')
            return True
        return False

    def assert_left_alone(self) -> int:
        """Check that reconciling has repaired nothing of a server there is.

        :returns: how many ticks there were.
        """
        report = self.cyborg.control('reconciled')
        self.assertEqual({}, report.get('failed', {}), report)
        self.assertLessEqual(set(report.get('repaired', {})), _GONE, report)
        ticks: int = report['ticks']
        return ticks

    def restart_conductor(self) -> None:
        """Kill nova-conductor, and start it again."""
        self.conductor.stop()
        self.conductor = self.start_service('conductor')
