# SPDX-License-Identifier: Apache-2.0

"""What several threads do at once: they run in both kinds of threads."""

from tests.functional.nova import messages  # isort: skip - first

import typing as ty

import fixtures
from nova_cyborg.nova import client


class AtOnceTest(messages.Duplicates, messages.TestCase):
    """Two messages that are the same are dealt with at the same time."""

    TOGETHER = True


class LostReservationTest(messages.TestCase):
    """Of a boot that comes twice, the second reservation has no answer."""

    def test_what_the_first_has_reserved_stays(self) -> None:
        for fields in (
            {'action': 'late', 'value': 3, 'times': 1},
            {'action': 'drop'},
        ):
            self.cyborg.control(
                'fault', method='PUT', path='allocations', **fields
            )
        done = self.deliver_twice(
            'schedule_and_build_instances', together=True
        )
        server = self.boot(self.context)
        self.assert_delivered(done)
        self.assert_uses_all(server)
        self.assertEqual('bound', self.status(self.context))
        self.assert_in_step(audited=False)


class RaceTest(messages.TestCase):
    """Two servers reach for one device context."""

    def test_one_wins_and_the_other_is_told_who(self) -> None:
        self.cyborg.control(
            'fault', method='PUT', path='allocations', action='delay', value=1
        )
        # nova-api does not see it if they are asked for at the same time.
        with self.without_api_plugin():
            servers = [self.post_server(self.context) for _n in range(2)]
        finished = [
            self.wait_for(lambda s=server: self._finished(s))
            for server in servers
        ]
        won, lost = sorted(finished, key=lambda each: each['status'])
        self.assertEqual(['ACTIVE', 'ERROR'], [won['status'], lost['status']])
        self.assertIn(f'in use by server {won["id"]}', self.fault_of(lost))
        self.assert_uses_all(won)
        self.assert_in_step(audited=False)
        self.delete(lost)
        self.assertEqual('bound', self.status(self.context))

    def _finished(self, server: dict[str, ty.Any]) -> dict[str, ty.Any] | None:
        found = self.api.get_server(server['id'])
        return found if found['status'] in ('ACTIVE', 'ERROR') else None

    def test_two_operations_of_one_server(self) -> None:
        """A user unshelves it while an earlier attempt is not over."""
        self.flags(shelved_offload_time=0)
        self.flags(timeout=2, group='cyborg')
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        # Nor does nova-conductor ask again before it gives up.
        self.useFixture(fixtures.MockPatchObject(client, '_PAUSES', ()))
        # The first attempt's binding arrives when the second one is bound.
        self.cyborg.control(
            'fault',
            method='POST',
            path='/bind$',
            action='delay',
            value=6,
            times=1,
        )
        self.act(server, 'unshelve', 'SHELVED_OFFLOADED')
        self.act(server, 'unshelve')
        before = self.hostdevs(server)
        self.wait_for(lambda: not self.cyborg.control('under_way'))
        self.assertEqual(before, self.hostdevs(server))
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)
