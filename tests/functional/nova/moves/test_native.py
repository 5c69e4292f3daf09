# SPDX-License-Identifier: Apache-2.0

"""Live migration of guests that keep their devices.

No device that can do so is at hand: it is seen what Nova tells libvirt.
"""

from tests.functional.nova.moves import native, running  # isort: skip - first


from nova import context as nova_context
from nova import objects

from tests.functional.nova import hotplug

SOURCE, DESTINATION = running.HOSTS


class TestCase(native.Guests, running.TestCase):
    """It is seen what each side is told."""

    def sent(self) -> list[set[str]]:
        """Return the slots in each config that was sent."""
        return [
            {
                hotplug.slot_of(element)
                for element in xml.iterfind('devices/hostdev')
            }
            for xml in self.guest_moves.sent
        ]

    def own(self, moved: running.moving.Moved) -> set[str]:
        """Return the slots that a server uses."""
        return {
            device['slot']
            for context_id in moved.contexts
            for device in self.get_context(context_id)['devices']
        }


class NativeTest(TestCase):
    """Devices of a host, mediated ones, and both."""

    def test_there_and_back(self) -> None:
        before = [self.own(each) for each in self.all]
        self.live_migrate()
        self.assert_moved()
        after = [self.own(each) for each in self.all]
        # Of each guest, two configs.
        self.assertEqual(
            [x for each in after for x in (each, each)], self.sent()
        )
        for old, new in zip(before, after, strict=True):
            self.assertEqual(set(), old & new)
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        for each in self.all:
            self.assertCountEqual(
                [
                    f'ua-{device["arq_id"]}'
                    for context_id in each.contexts
                    for device in self.get_context(context_id)['devices']
                ],
                [
                    found.alias
                    for found in super(native.Guests, self).hostdevs(
                        each.server
                    )
                ],
            )
        self.live_migrate(SOURCE)
        self.assert_moved(SOURCE)

    def test_a_paused_server(self) -> None:
        self.all = self.all[:1]
        self.do('pause', 'PAUSED')
        self.do(
            'os-migrateLive',
            'PAUSED',
            {'host': None, 'block_migration': 'auto'},
        )
        self.wait_for(
            lambda: self.bindings(self.all[0]) == [('active', DESTINATION)]
        )


class OthersTest(TestCase):
    """One server, with two device contexts."""

    KINDS = running.TestCase.KINDS[1:2]

    def test_one_that_is_detached_beside_it(self) -> None:
        native, detached = self.all[0].contexts
        self.update_context(detached, live_migration='detach')
        self.live_migrate()
        self.assert_moved()
        (device,) = self.get_context(native)['devices']
        self.assertEqual([{device['slot']}] * 2, self.sent())

    def test_the_tag_goes_with_it(self) -> None:
        """The guest's device has the alias that it had on the other host."""
        native, detached = self.all[0].contexts
        self.update_context(detached, live_migration='detach')
        self.update_context(native, tag='gzip')
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_tags('gzip')
        self.live_migrate()
        self.assert_moved()
        self.wait_for(lambda: self.tags() == ['gzip'])

    def tags(self) -> list[str]:
        """Return the tags in the server's metadata."""
        instance = objects.Instance.get_by_uuid(
            nova_context.get_admin_context(),
            self.all[0].server['id'],
            expected_attrs=['device_metadata'],
        )
        found = instance.device_metadata
        return [
            tag
            for each in (found.devices if found else ())
            for tag in each.tags
        ]

    def assert_tags(self, *tags: str) -> None:
        """Check the tags in the server's metadata."""
        self.assertEqual(list(tags), self.tags())

    def test_a_device_that_cannot(self) -> None:
        """QEMU does not begin; the guest goes on with all it has."""
        before = self.own(self.all[0])
        self.guest_moves.with_devices = False
        self.live_migrate_in_vain()
        self.assertEqual(before, self.own(self.all[0]))

    def test_too_old_hosts(self) -> None:
        before = self.own(self.all[0])
        self.able = False
        self.live_migrate_in_vain()
        self.assertEqual([], self.guest_moves.sent)
        self.assertEqual(before, self.own(self.all[0]))

    def live_migrate_in_vain(self) -> None:
        """Begin a live migration, and see that the server stays."""
        server_id = self.all[0].server['id']
        self.admin_api.post_server_action(
            server_id,
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        self.wait_for(
            lambda: (
                [each['status'] for each in self.migrations()]
                in (['error'], ['failed'])
            )
        )
        self.admin_api.post_server_action(
            server_id, {'os-resetState': {'state': 'active'}}
        )
        self.assert_on(SOURCE)
