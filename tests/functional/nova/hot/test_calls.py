# SPDX-License-Identifier: Apache-2.0

"""What attaching and detaching costs other services."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import collections.abc
import typing as ty
from unittest import mock


class CallsTest(plugging.TestCase):
    """Calls of Cyborg and of Placement are counted."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[str, str]] = []
        client = self.placement_fixture._client
        original = client.request

        def request(url: str, verb: str, **kwargs: ty.Any) -> ty.Any:
            self.asked.append((verb, url.partition('?')[0]))
            return original(url, verb, **kwargs)

        patch = mock.patch.object(client, 'request', request)
        patch.start()
        self.addCleanup(patch.stop)

    def _calls(
        self, do: collections.abc.Callable[[str], None], context_id: str
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return the calls of Cyborg and of Placement."""
        before, self.asked[:] = len(self.nova_calls()), []
        do(context_id)
        made = self.nova_calls()[before:]
        if context_id == self.mdev:
            made = self.without_polls(made)
        return self._named(made), self._named(list(self.asked))

    def _named(self, calls: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [
            (
                method,
                path.replace(self.server['id'], 'SERVER').removeprefix('/v2'),
            )
            for method, path in calls
        ]

    def test_four_of_cyborg_and_three_of_placement(self) -> None:
        allocation = '/device_allocations/SERVER'
        read = ('GET', '/accelerator_requests')
        for context_id in (self.pci, self.mdev):
            cyborg, placement = self._calls(self.attach, context_id)
            self.assertEqual(
                [
                    ('POST', f'{allocation}/attach'),
                    ('POST', f'{allocation}/bind'),
                    read,
                    ('POST', f'{allocation}/attached'),
                ],
                cyborg,
            )
            self.assertEqual(
                [
                    ('GET', '/allocation_candidates'),
                    ('GET', '/allocations/SERVER'),
                    ('PUT', '/allocations/SERVER'),
                ],
                placement,
            )
        for context_id in (self.pci, self.mdev):
            cyborg, placement = self._calls(self.detach, context_id)
            self.assertEqual(
                [
                    ('POST', f'{allocation}/detach'),
                    read,
                    ('POST', f'{allocation}/unplug'),
                    ('POST', f'{allocation}/detached'),
                ],
                cyborg,
            )
            self.assertEqual(
                [
                    ('GET', '/allocations/SERVER'),
                    ('PUT', '/allocations/SERVER'),
                ],
                placement,
            )
