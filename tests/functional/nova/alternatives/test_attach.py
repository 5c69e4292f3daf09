# SPDX-License-Identifier: Apache-2.0

"""What is attached is the first alternative that the server's host has."""

from tests.functional.nova.hot import plugging  # isort: skip - first

from tests.functional.nova.alternatives import choosing


class AttachTest(plugging.TestCase):
    """One PCI device and one mediated device."""

    def setUp(self) -> None:
        super().setUp()
        self.choices = [
            self.create_context(groups=[choosing.one_of('FPGA', 'VGPU')])
            for _n in range(3)
        ]

    def chosen(self, context_id: str) -> list[int | None]:
        """Return which alternative of each group is chosen."""
        return choosing.chosen(self.get_context(context_id))

    def test_the_first_then_the_second_then_none(self) -> None:
        first, second, third = self.choices
        self.attach(first)
        self.attach(second)
        self.assert_has(first, second)
        self.assertEqual([[0], [1]], list(map(self.chosen, (first, second))))
        self.assertIn('no free device', self.attach_fails(third))
        self.assertEqual([None], self.chosen(third))
        self.assert_has(first, second)

        self.detach(first)
        self.assertEqual([None], self.chosen(first))
        self.attach(third)
        self.assert_has(second, third)
        self.assertEqual([0], self.chosen(third))
        self.detach(second)
        self.detach(third)
        self.assert_as_before()

    def test_too_much_to_choose_from(self) -> None:
        """It could not be moved: all would be tried."""
        five = choosing.one_of('FPGA', 'VGPU', 'PGPU', 'A', 'B')
        more = self.create_context(groups=[five])
        self.attach(self.choices[0])
        self.attach(self.choices[1])
        status, why = self.refused(self.post, more)
        self.assertEqual(400, status)
        self.assertIn('20 combinations', why)
        self.assertEqual('available', self.status(more))
        self.assert_has(*self.choices[:2])
