# SPDX-License-Identifier: Apache-2.0

"""What is left behind is put right without an audit, beside what runs."""

from tests.functional.nova import step  # isort: skip - first

import typing as ty

import fixtures


class ReconcilerTest(step.TestCase):
    """A server runs all the while, and is left alone."""

    def setUp(self) -> None:
        super().setUp()
        self.add_device(slots=3)
        self.bystander = self.boot(self.create_context())
        self.slots = self.used_slots()

    def assert_left_alone(self) -> None:
        """Check that the bystander is as it was, and nothing else there."""
        self.assertEqual(self.slots, self.used_slots())
        self.assert_hostdevs(self.bystander, self.slots)
        self.assertEqual([], self.audit())

    def fail_releases(self) -> None:
        """Let Cyborg answer nobody who gives something back."""
        for path in ('/v2/device_allocations/.*', '/v2/accelerator_requests'):
            self.cyborg.control(
                'fault',
                method='DELETE',
                path=path,
                action='answer',
                value=500,
                times=20,
            )

    def test_nothing_is_wrong(self) -> None:
        self.assertEqual({}, self.reconcile(8))
        self.assert_left_alone()

    def test_a_server_that_was_deleted_while_cyborg_was_down(self) -> None:
        context = self.create_context()
        server = self.boot(context)
        # It has seen that both run, and reads what changes from then on.
        self.assertEqual({}, self.reconcile())
        self.fail_releases()
        self.delete(server)
        self.assertEqual('bound', self.status(context))
        self.cyborg.control('clear_faults')

        # Nova lists it as deleted.
        repaired = self.reconcile(1)

        self.assertEqual(1, repaired['held-by-no-server'])
        self.assertIsNone(self.get_context(context))
        self.assert_left_alone()

    def test_one_that_was_never_on_a_host(self) -> None:
        """Whether Nova lists it among the changes, or not."""
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.compute.manager.ComputeManager.build_and_run_instance',
                lambda *_args, **_kwargs: None,
            )
        )
        context = self.create_context()
        server: dict[str, ty.Any] = self.post_server(context)
        self.wait_for(lambda: self.status(context) == 'bound')
        self.assertEqual({}, self.reconcile())
        self.fail_releases()
        self.delete(server)
        self.assertEqual('bound', self.status(context))
        self.cyborg.control('clear_faults')

        self.reconcile(40)

        self.assertIsNone(self.get_context(context))
        self.assert_left_alone()
