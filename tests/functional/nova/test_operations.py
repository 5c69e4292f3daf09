# SPDX-License-Identifier: Apache-2.0

"""What becomes of device contexts in each operation of a server.

Each is done with two servers: with two device contexts, and with one beside
the device profile of the flavor.
"""

from tests.functional.nova import step  # isort: skip - first

import collections.abc
import dataclasses
import pathlib
import typing as ty
from unittest import mock

from nova import conf
from nova.tests.functional.api import client
from nova_cyborg.nova.conductor import guards, manager

from tests.functional.nova import base

_CLASSES = {'FPGA': 3, 'PGPU': 1}


@dataclasses.dataclass
class Booted:
    """A server with accelerators.

    :ivar server: the server.
    :ivar contexts: UUIDs of its device contexts.
    :ivar hostdevs: the devices of its guest.
    """

    server: dict[str, ty.Any]
    contexts: list[str]
    hostdevs: list[base.Hostdev]


class TestCase(step.TestCase):
    """Two compute nodes that could have all servers each."""

    HOSTS = ('compute1', 'compute2')

    def setUp(self) -> None:
        super().setUp()
        for host in self.HOSTS:
            for name, slots in _CLASSES.items():
                self.add_device(host, resource_class=name, slots=slots)
        self.create_profile('gpu', {'resources:PGPU': '1'})
        with_gpu = self._create_flavor(
            extra_spec={'accel:device_profile': 'gpu'}
        )
        # How many device contexts, and the flavor.
        self.kinds = [(2, self.plain_flavor), (1, with_gpu)]
        self.make_all()

    def make_all(self) -> None:
        """Boot the servers, all on compute1."""
        self.set_enabled('compute2', False)
        self.all = [self._boot(*kind) for kind in self.kinds]
        self.set_enabled('compute2', True)

    def _boot(self, contexts: int, flavor: str) -> Booted:
        made = [self.create_context() for _n in range(contexts)]
        server = self.boot(*made, flavorRef=flavor)
        return Booted(server, made, self.hostdevs(server))

    def do(
        self,
        action: str,
        status: str = 'ACTIVE',
        arguments: dict[str, ty.Any] | None = None,
    ) -> None:
        """Do something with all servers, and wait for their status."""
        for each in self.all:
            self.admin_api.post_server_action(
                each.server['id'], {action: arguments}
            )
        self.wait_for_all(status)

    def wait_for_all(self, status: str) -> None:
        for each in self.all:
            each.server = self.wait_for_status(each.server, status)

    def assert_contexts(self, status: str | None) -> None:
        """Check the status of all device contexts."""
        for each in self.all:
            for context in each.contexts:
                self.wait_for(lambda c=context: self.status(c) == status)

    def assert_kept(self) -> None:
        """Check that all servers have the slots they were booted with."""
        for each in self.all:
            self.assertCountEqual(each.hostdevs, self.hostdevs(each.server))
        self.assert_contexts('bound')
        self.assert_in_step(audited=False)

    def assert_moved(self, host: str) -> None:
        """Check that all servers have slots of a host."""
        mine = {
            slot
            for device in self.devices
            if device.host == host
            for slot in device.slots
        }
        for each in self.all:
            found = self.hostdevs(each.server)
            self.assertEqual(len(each.hostdevs), len(found))
            self.assertLessEqual({hostdev.slot for hostdev in found}, mine)
            for context in each.contexts:
                self.assertEqual(host, self.get_context(context)['host'])
        self.assert_contexts('bound')
        self.assert_in_step(audited=False)

    def assert_gone(self) -> None:
        """Check that the servers have left nothing behind."""
        for each in self.all:
            self._wait_until_deleted(each.server)
        self.assert_contexts(None)
        self.assert_nothing_held()


class UnbuiltTestCase(TestCase):
    """Servers are booted by the tests themselves."""

    def make_all(self) -> None:
        """Leave it to the tests."""
        self.all = []


class StayTest(TestCase):
    """Operations in which a server keeps its slots."""

    def assert_made_anew(
        self, done: collections.abc.Callable[[], None]
    ) -> None:
        """Check that guests are defined anew, with what they had."""
        before = self._definitions()
        done()
        self.assert_kept()
        for was, now in zip(before, self._definitions(), strict=True):
            self.assertGreater(now, was)

    def _definitions(self) -> list[int]:
        return [len(self.guests[each.server['id']]) for each in self.all]

    def test_power(self) -> None:
        self.do('os-stop', 'SHUTOFF')
        self.assert_contexts('bound')
        self.assert_made_anew(lambda: self.do('os-start'))
        self.do('reboot', arguments={'type': 'SOFT'})
        self.assert_kept()
        self.assert_made_anew(
            lambda: self.do('reboot', arguments={'type': 'HARD'})
        )
        self.do('pause', 'PAUSED')
        self.assert_contexts('bound')
        self.do('unpause')
        self.do('lock')
        self.do('unlock')
        self.assert_kept()

    def test_images(self) -> None:
        self.do('createImage', arguments={'name': 'snapshot'})
        self.assert_kept()
        # Nova's stand-in for Glance lists all images for those of a backup:
        # in the end, when the server is ACTIVE already, those beyond the
        # rotation are deleted, the server's own among them.
        backup = {'name': 'backup', 'backup_type': 'daily', 'rotation': 99}
        self.do('createBackup', arguments=backup)
        self.assert_kept()
        for image in self._images():
            self.assert_made_anew(
                lambda i=image: self.do('rebuild', arguments={'imageRef': i})
            )

    def _images(self) -> list[str]:
        """Return the image that the servers have, and another one."""
        images = [
            self.all[0].server['image']['id'],
            self.glance.auto_disk_config_enabled_image['id'],
        ]
        self.assertEqual(2, len(set(images)))
        return images

    def test_rebuild_while_cyborg_is_down(self) -> None:
        for image in self._images():
            rebuild = {'imageRef': image}
            self.cyborg.control('stop')
            for each in self.all:
                self.api.post_server_action(
                    each.server['id'], {'rebuild': rebuild}
                )
            for each in self.all:
                self.assertIn('Cyborg', self.fault_of(each.server))
            self.cyborg.control('start')
            self.do('rebuild', arguments=rebuild)
            self.assert_kept()

    def test_rescue_and_unrescue(self) -> None:
        for each in self.all:
            # Where the guest's own config is kept meanwhile.
            path = pathlib.Path(conf.CONF.instances_path, each.server['id'])
            path.mkdir()
        self.do('rescue', 'RESCUE')
        self.assert_contexts('bound')
        self.do('unrescue')
        # Nova defines the guest anew as libvirt has kept it. The stand-in
        # for libvirt keeps no aliases.
        for each in self.all:
            self.assertCountEqual(
                [hostdev.slot for hostdev in each.hostdevs],
                [hostdev.slot for hostdev in self.hostdevs(each.server)],
            )
        self.do('reboot', arguments={'type': 'HARD'})
        self.assert_kept()


class RefusedTest(TestCase):
    """What stock Nova refuses for servers with accelerators.

    It is done with servers that have no device profile; live migration, if
    their device contexts say so.
    """

    def test_nothing_changes(self) -> None:
        flavor = self._create_flavor(vcpu=1)
        live = {'host': None, 'block_migration': 'auto'}
        contexts_alone, with_profile = self.all
        for action, arguments in (
            ('suspend', None),
            ('resize', {'flavorRef': flavor}),
            ('migrate', None),
            ('os-migrateLive', live),
        ):
            self._assert_refused(
                with_profile,
                action,
                arguments,
                'instances that have accelerators',
            )
        self._assert_refused(
            contexts_alone, 'os-migrateLive', live, 'while it runs'
        )

    def _assert_refused(
        self,
        refused: Booted,
        action: str,
        arguments: dict[str, ty.Any] | None,
        reason: str,
    ) -> None:
        error = self.assertRaises(
            client.OpenStackApiException,
            self.admin_api.post_server_action,
            refused.server['id'],
            {action: arguments},
        )
        self.assertEqual(400, error.response.status_code)
        self.assertIn(reason, str(error))
        self.wait_for_all('ACTIVE')
        self.assert_kept()


class ShelveTest(TestCase):
    """A server on no host keeps its device contexts, and no slot."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(shelved_offload_time=0)

    def _shelve(self) -> None:
        self.do('shelve', 'SHELVED_OFFLOADED')
        self._assert_offloaded()

    def _assert_offloaded(self) -> None:
        self.assert_contexts('reserved')
        self.assertEqual(set(), self.used_slots())
        self.assert_in_step(audited=False)

    def test_there_and_back(self) -> None:
        self._shelve()
        self.set_enabled('compute1', False)
        self.do('unshelve')
        self.assert_moved('compute2')
        self._shelve()
        self.set_enabled('compute1', True)
        self.set_enabled('compute2', False)
        self.do('unshelve')
        self.assert_moved('compute1')

    def test_in_vain_at_first(self) -> None:
        self._shelve()
        for host in self.HOSTS:
            self.set_enabled(host, False)
        self.do('unshelve', 'SHELVED_OFFLOADED')
        self._assert_offloaded()
        self.set_enabled('compute2', True)
        self.cyborg.control('stop')
        self.do('unshelve', 'SHELVED_OFFLOADED')
        self.assertIn('did not answer', self._last_event(self.all[0].server))
        self.cyborg.control('start')
        self._assert_offloaded()
        self.do('unshelve')
        self.assert_moved('compute2')

    def _last_event(self, server: dict[str, ty.Any]) -> str:
        """Return why the last action with a server has failed."""
        action = self.admin_api.get_instance_actions(server['id'])[0]
        details = self.admin_api.api_get(
            f'/servers/{server["id"]}/os-instance-actions/'
            f'{action["request_id"]}'
        ).body['instanceAction']
        return ' '.join(event['details'] or '' for event in details['events'])

    def test_on_its_host_at_first(self) -> None:
        self.flags(shelved_offload_time=-1)
        self.do('shelve', 'SHELVED')
        self.assert_contexts('bound')
        self.do('unshelve')
        self.assert_kept()
        self.do('shelve', 'SHELVED')
        self.do('shelveOffload', 'SHELVED_OFFLOADED')
        self._assert_offloaded()
        for each in self.all:
            self.api.delete_server(each.server['id'])
        self.assert_gone()


class EvacuateTest(TestCase):
    """The host of the servers fails."""

    def setUp(self) -> None:
        super().setUp()
        self.take_down('compute1')

    def test_cyborg_is_down_at_first(self) -> None:
        self._force_it()
        self.cyborg.control('stop')
        for each in self.all:
            self.admin_api.post_server_action(
                each.server['id'], {'evacuate': {}}
            )
        for each in self.all:
            self.assertIn('Cyborg', self.fault_of(each.server))
        self.cyborg.control('start')
        self.assert_contexts('bound')
        self.assert_in_step(audited=False)
        # From ERROR, Nova starts it.
        self.do('evacuate', 'ACTIVE', {})
        self.assert_moved('compute2')

    def _force_it(self) -> None:
        """Ask for a host; Nova refuses it for devices in Placement."""
        self.admin_api.microversion = '2.29'
        for each in self.all:
            self.admin_api.post_server_action(
                each.server['id'],
                {'evacuate': {'host': 'compute2', 'force': True}},
            )
        self.admin_api.microversion = 'latest'
        self.wait_for_all('ACTIVE')
        self.assert_contexts('bound')
        self.assert_in_step(audited=False)

    def test_nova_conductor_dies_at_first(self) -> None:
        # What a host was chosen for stays in Placement.
        with mock.patch.object(
            manager.ComputeTaskManager,
            '_create_and_bind_arq_for_instance',
            side_effect=guards.Superseded,
        ) as deaths:
            for each in self.all:
                self.admin_api.post_server_action(
                    each.server['id'], {'evacuate': {}}
                )
            self.wait_for(lambda: deaths.call_count == len(self.all))
        for device in self.devices:
            self.assertEqual(len(device.slots), self.usage(device))
        self.do('os-resetState', 'ERROR', {'state': 'error'})

        # There is room for it once only.
        self.do('evacuate', 'ACTIVE', {})

        self.assert_moved('compute2')
        self.bring_back('compute1')
        self.assert_in_step(audited=False)
        for device in self.devices:
            if device.host == 'compute1':
                self.assertEqual(0, self.usage(device))


class RescheduleTest(UnbuiltTestCase):
    """Hosts do not start the guests."""

    def test_the_first_host(self) -> None:
        for contexts, flavor in self.kinds:
            failures = self.fail_spawns(1)
            self.all.append(self._boot(contexts, flavor))
            self.assertGreater(failures.call_count, 1)
        self.assertEqual([2, 2], [len(each.hostdevs) for each in self.all])
        self.assert_kept()
        # Each was tried on both hosts; what it has is on one of them.
        self.assertEqual(4, sum(self.usage(each) for each in self.devices))
        # Delete finds them, too, after the marker went through a reschedule.
        for each in self.all:
            self.api.delete_server(each.server['id'])
        self.assert_gone()

    def test_all_hosts(self) -> None:
        for contexts, flavor in self.kinds:
            spawns = self.fail_spawns(len(self.HOSTS))
            made = [self.create_context() for _n in range(contexts)]
            fault = self.boot_fails(*made, flavorRef=flavor)
            self.assertEqual(len(self.HOSTS), spawns.call_count)
            self.assertIn('Exceeded maximum number of retries', fault)
            # Nova itself does not say why.
            self.assertIn('no guest today', fault)
            # While the server in error is still there.
            self.assert_available(*made)


class DeleteTest(TestCase):
    """Each way in which servers go."""

    def _delete(self) -> None:
        for each in self.all:
            self.api.delete_server(each.server['id'])

    def test_in_error_and_a_context_is_kept(self) -> None:
        kept = self.all[0].contexts.pop()
        self.update_context(kept, delete_on_termination=False)
        self.do('os-resetState', 'ERROR', {'state': 'error'})
        self.assert_contexts('bound')
        self._delete()
        self.assert_gone()
        self.assertEqual('available', self.status(kept))

    def test_nova_compute_is_down(self) -> None:
        self.take_down('compute1')
        self._delete()
        self.assert_gone()
        self.bring_back('compute1')
        self.assert_in_step(audited=False)

    def test_soft_delete_while_nova_compute_is_down(self) -> None:
        self.flags(reclaim_instance_interval=3600)
        self.take_down('compute1')
        self._delete()
        self.assert_gone()
        self.bring_back('compute1')
        self.assert_in_step(audited=False)

    def test_soft_delete_of_what_is_offloaded(self) -> None:
        self.flags(reclaim_instance_interval=3600)
        self.do('shelve', 'SHELVED_OFFLOADED')
        self._delete()
        self.assert_gone()

    def test_soft_delete_restore_and_force_delete(self) -> None:
        self.flags(reclaim_instance_interval=3600)
        self._delete()
        self.wait_for_all('SOFT_DELETED')
        self.assert_contexts('bound')
        self.do('restore')
        self.assert_kept()
        self._delete()
        self.wait_for_all('SOFT_DELETED')
        for each in self.all:
            self.api.post_server_action(
                each.server['id'], {'forceDelete': None}
            )
        self.assert_gone()


class DeleteWhileBuildingTest(UnbuiltTestCase):
    """Servers go before they are there."""

    def _begin(self, contexts: int, flavor: str) -> Booted:
        """Boot a server, and do not wait for it."""
        made = [self.create_context() for _n in range(contexts)]
        server = self.post_server(*made, flavorRef=flavor)
        self.all.append(Booted(server, made, []))
        return self.all[-1]

    def _delete_as_soon_as(
        self, is_there: collections.abc.Callable[[Booted], bool]
    ) -> None:
        for kind in self.kinds:
            begun = self._begin(*kind)
            self.wait_for(lambda b=begun: is_there(b))
            self.api.delete_server(begun.server['id'])
        self.assert_gone()

    def test_before_a_host_is_chosen(self) -> None:
        """It is in no cell."""
        self.cyborg.control(
            'fault', method='PUT', path='allocations', action='late', value=3
        )
        self._delete_as_soon_as(
            lambda begun: all(
                self.status(context) == 'reserved'
                for context in begun.contexts
            )
        )

    def test_on_the_way_to_the_host(self) -> None:
        """It is in its cell, and no device is bound."""
        self.cyborg.control(
            'fault', method='POST', path='/bind$', action='late', value=3
        )
        self._delete_as_soon_as(
            lambda begun: any(
                begun.server['id'] in path and path.endswith('/bind')
                for _method, path in self.nova_calls()
            )
        )

    def test_while_devices_are_bound(self) -> None:
        """It is with its nova-compute."""
        self.cyborg.control('hold_bindings', hold=True)
        self.addCleanup(self.cyborg.control, 'hold_bindings', hold=False)
        for kind in self.kinds:
            self._begin(*kind)
        # That of a device profile comes before that of the contexts.
        self.wait_for(
            lambda: (
                len(self.all)
                == sum(
                    method == 'PATCH' or path.endswith('/bind')
                    for method, path in self.nova_calls()
                )
            )
        )
        for each in self.all:
            self.api.delete_server(each.server['id'])
        self.cyborg.control('hold_bindings', hold=False)
        self.assert_gone()
