# SPDX-License-Identifier: Apache-2.0

"""What nova-compute does of its own accord: no user's token is at hand.

For a server with two device contexts, and for one with one beside the device
profile of its flavor.
"""

from tests.functional.nova import test_operations  # isort: skip - first

import typing as ty
from unittest import mock

from nova import context as nova_context
from nova.compute import task_states
from nova.objects import instance as instance_obj


class OwnAccordTest(test_operations.TestCase):
    """Periodic tasks, and the start of nova-compute."""

    def _run_periodic(self, task: str) -> None:
        """Have one periodic task run, as nova-compute runs all of them."""
        manager = self.computes['compute1'].manager
        method = getattr(manager, task)

        def run(
            context: nova_context.RequestContext, raise_on_error: bool = False
        ) -> None:
            method(context)

        with mock.patch.object(manager, 'run_periodic_tasks', run):
            manager.periodic_tasks(nova_context.get_admin_context())

    def _change(self, **fields: ty.Any) -> None:
        """Change what the cell's database says of all servers."""
        for each in self.all:
            instance = instance_obj.Instance.get_by_uuid(
                nova_context.get_admin_context(), each.server['id']
            )
            instance.update(fields)
            instance.save()

    def test_reclaims_what_is_soft_deleted(self) -> None:
        self.flags(reclaim_instance_interval=1)
        for each in self.all:
            self.api.delete_server(each.server['id'])
        self.wait_for_all('SOFT_DELETED')

        with mock.patch.object(
            self.computes['compute1'].manager,
            '_deleted_old_enough',
            return_value=True,
        ):
            self._run_periodic('_reclaim_queued_deletes')

        self.assert_gone()

    def test_offloads_what_is_shelved(self) -> None:
        self.flags(shelved_offload_time=3600)
        self.do('shelve', 'SHELVED')
        self.assert_contexts('bound')
        self.flags(shelved_offload_time=1)

        with mock.patch(
            'oslo_utils.timeutils.is_older_than', return_value=True
        ):
            self._run_periodic('_poll_shelved_instances')

        self.wait_for_all('SHELVED_OFFLOADED')
        self.assert_contexts('reserved')
        self.assert_in_step(audited=False)
        self.do('unshelve')
        self.assert_contexts('bound')
        self.assert_in_step(audited=False)

    def test_goes_on_with_deleting(self) -> None:
        self._change(task_state=task_states.DELETING)

        self.restart_compute_service('compute1')

        self.assert_gone()

    def test_starts_guests_of_a_host_that_was_restarted(self) -> None:
        self.flags(resume_guests_state_on_host_boot=True)

        # The new one has no guests.
        self.restart_compute_service('compute1', keep_hypervisor_state=False)

        self.wait_for_all('ACTIVE')
        for each in self.all:
            self.assertEqual(2, len(self.guests[each.server['id']]))
        self.assert_kept()

        # And no guest without its device.
        self.cyborg.control('stop')
        self.restart_compute_service('compute1', keep_hypervisor_state=False)
        self.wait_for_all('ERROR')

        self.cyborg.control('start')
        for each in self.all:
            self.api.post_server_action(
                each.server['id'], {'reboot': {'type': 'HARD'}}
            )
        # They are in error until then.
        for each in self.all:
            self.wait_for(
                lambda e=each: (
                    self.api.get_server(e.server['id'])['status'] == 'ACTIVE'
                )
            )
        self.assert_kept()
