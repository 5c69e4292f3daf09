# SPDX-License-Identifier: Apache-2.0

"""The audit puts Placement right, beside servers that run."""

from tests.functional.nova import step  # isort: skip - first

import typing as ty

import fixtures
import requests
from nova.tests import fixtures as nova_fixtures

from tests.functional.nova import cyborg

_VERSION = '1.28'


class AllocationTest(step.TestCase):
    """A server has a device, and Placement does not know."""

    def setUp(self) -> None:
        super().setUp()
        self.device = self.add_device(slots=2)
        self.server = self.boot(self.create_context())
        self.path = f'/allocations/{self.server["id"]}'

    def _of_server(self) -> dict[str, ty.Any]:
        return self.placement.get(self.path, version=_VERSION).body

    def _lose(self) -> dict[str, ty.Any]:
        """Take the device out of the allocations; returns what they were."""
        before = self._of_server()
        after = {
            provider: allocation
            for provider, allocation in before['allocations'].items()
            if provider != self.device.provider
        }
        self.placement.put(
            self.path, before | {'allocations': after}, version=_VERSION
        )
        self.assertEqual(0, self.usage(self.device))
        return before['allocations']

    def test_it_is_allocated(self) -> None:
        before = self._lose()

        self.assertEqual(['no-placement-allocation'], self.audit())

        self.assertEqual(
            {name: each['resources'] for name, each in before.items()},
            {
                name: each['resources']
                for name, each in self._of_server()['allocations'].items()
            },
        )
        self.assertEqual([], self.audit())
        self.assert_hostdevs(self.server, self.used_slots())
        self.delete(self.server)
        self.assert_nothing_held()

    def test_of_a_server_that_is_gone(self) -> None:
        """Nova tells that there was one, which no event does."""
        flavor = self._create_flavor(extra_spec={'resources:FPGA': '1'})
        server = self.boot(flavorRef=flavor)
        path = f'/allocations/{server["id"]}'
        left = self.placement.get(path, version=_VERSION).body
        self.delete(server)
        self.placement.put(
            path, left | {'consumer_generation': None}, version=_VERSION
        )
        self.assertEqual(2, self.usage(self.device))

        self.assertEqual(['allocation-of-no-server'], self.audit())

        self.assertEqual(1, self.usage(self.device))


class FlavorTest(step.TestCase):
    """A flavor asks for a unit of its own, beside a device context."""

    def setUp(self) -> None:
        super().setUp()
        # None is enough for both.
        self.cards = [self.add_device(slots=1) for _ in range(3)]
        flavor = self._create_flavor(extra_spec={'resources:FPGA': '1'})
        self.server = self.boot(self.create_context(), flavorRef=flavor)

    def test_a_healthy_server_is_left_alone(self) -> None:
        self.assertEqual(2, sum(map(self.usage, self.cards)))
        self.assertEqual(1, len(self.used_slots()))
        self.assertEqual([], self.audit_rows())
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self.assertEqual([], self.audit_rows())

    def test_what_nobody_has_asked_for_is_found(self) -> None:
        free = next(each for each in self.cards if not self.usage(each))
        path = f'/allocations/{self.server["id"]}'
        body = self.placement.get(path, version=_VERSION).body
        body['allocations'][free.provider] = {'resources': {'FPGA': 1}}
        self.placement.put(path, body, version=_VERSION)

        rows = self.audit_rows()

        # Which of the two is the flavor's cannot be told.
        self.assertEqual({'no-device'}, {row['kind'] for row in rows})
        self.assertIn(
            f'{free.provider}/{self.server["id"]}',
            {row['subject'] for row in rows},
        )


class MigrationTest(step.TestCase):
    """A flavor asks for a device without a profile, and is changed."""

    HOSTS = ('compute1', 'compute2')

    def setUp(self) -> None:
        super().setUp()
        self.devices = [self.add_device(host, slots=1) for host in self.HOSTS]
        # It copies the disks, which there are none of.
        self.useFixture(
            fixtures.MockPatch(
                'nova.virt.libvirt.driver.LibvirtDriver'
                '.migrate_disk_and_power_off',
                return_value='{}',
            )
        )

    def _flavor(self) -> str:
        return self._create_flavor(extra_spec={'resources:FPGA': '1'})

    def _usages(self) -> list[int]:
        return [self.usage(device) for device in self.devices]

    def test_what_the_migration_has_stays(self) -> None:
        server = self.boot(flavorRef=self._flavor())
        before = self._usages()
        resize = {'flavorRef': self._flavor()}
        self.act(server, 'resize', 'VERIFY_RESIZE', resize)
        self.assertEqual([1, 1], self._usages())

        self.assertEqual([], self.audit())
        with nova_fixtures.DownCellFixture():
            self.assertEqual([], self.audit())

        self.assertEqual([1, 1], self._usages())
        self.act(server, 'revertResize')
        self.assertEqual(before, self._usages())


class PrintedTest(step.TestCase):
    """A Cyborg that prints what it finds can be killed, and starts again."""

    def test_it_starts_again(self) -> None:
        # Otherwise what is printed comes much later, a block at a time.
        self.useFixture(fixtures.EnvironmentVariable('PYTHONUNBUFFERED', '1'))
        own = cyborg.Cyborg()
        own.control('audit', placement=self._placement_url)
        own.control('fault', method='GET', path='contexts', action='die')
        self.assertRaises(
            requests.ConnectionError, own.api, 'token', 'GET', '/contexts'
        )
        self.assertTrue(own.start())
        self.assertFalse(own.start())
