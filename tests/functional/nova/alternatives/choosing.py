# SPDX-License-Identifier: Apache-2.0

"""What is chosen, and how often Placement is asked for it."""

from tests.functional.nova.explaining import explained  # isort: skip - first

import typing as ty

import fixtures
from nova.scheduler.client import report

_CLIENT = f'{report.__name__}.SchedulerReportClient'


def one_of(*names: str) -> dict[str, ty.Any]:
    """Return a group that one of some resource classes would do for."""
    return {'first_available': [{'resources': {name: 1}} for name in names]}


class Candidates(fixtures.Fixture):
    """Counts how often Nova's scheduler asks Placement for candidates."""

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        self.asked = 0
        get = report.SchedulerReportClient.get_allocation_candidates

        def count(*args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            self.asked += 1
            return get(*args, **kwargs)

        self.useFixture(
            fixtures.MonkeyPatch(f'{_CLIENT}.get_allocation_candidates', count)
        )

    def count(self) -> int:
        """Return how often it was since the last time."""
        asked, self.asked = self.asked, 0
        return asked


def chosen(context: dict[str, ty.Any] | None) -> list[int | None]:
    """Return which alternative of each group of a device context is chosen."""
    groups = context['groups'] if context else []
    return [group.get('chosen') for group in groups]


class TestCase(explained.TestCase):
    """Two compute nodes.

    :ivar candidates: counts questions.
    """

    HOSTS = ('compute1', 'compute2')

    def setUp(self) -> None:
        super().setUp()
        self.candidates = self.useFixture(Candidates())

    def create_choice(self, *groups: dict[str, ty.Any]) -> str:
        """Make a device context of some groups; return its UUID."""
        return self.create_context(groups=list(groups))

    def chosen(self, context_id: str) -> list[int | None]:
        """Return which alternative of each group is chosen."""
        return chosen(self.get_context(context_id))
