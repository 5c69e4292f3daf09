# SPDX-License-Identifier: Apache-2.0

"""Servers that got device contexts while they ran."""

from tests.functional.nova.hot import plugging  # isort: skip - first


class TestCase(plugging.TestCase):
    """A server that was booted without, and has two device contexts.

    :ivar held: UUIDs of these, and of those that it was booted with, if any.
    """

    def setUp(self) -> None:
        super().setUp()
        self.held = [*self.booted, self.pci, self.mdev]
        self.attach(self.pci)
        self.attach(self.mdev)

    def assert_has_all(self) -> None:
        """Check that all is there that the server was given."""
        self.assert_has(*self.held)
        self.assertEqual(set(self.held), set(self.hint()))

    def assert_detaches(self) -> None:
        """Check that nothing is left once all are detached."""
        for context_id in self.held:
            self.detach(context_id)
        self.assert_as_before()

    def assert_gone(self) -> None:
        """Check that the server has left nothing behind."""
        for context_id in self.held:
            self.wait_for(lambda c=context_id: self.status(c) is None)
        self.assert_nothing_held()
