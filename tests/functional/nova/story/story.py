# SPDX-License-Identifier: Apache-2.0

"""What is known while a story is told."""

from tests.functional.nova.story import cloud  # isort: skip - first

import logging
import os
import random
import typing as ty

import testtools.content

from tests.functional.nova.story import checks

# Loggers of requests, which are many, and tell least.
_OF_REQUESTS = ('nova.api.openstack.requestlog', 'placement.requestlog')
#: How many steps there are.
STEPS = int(os.environ.get('NOVA_CYBORG_STEPS', '12'))
#: Which.
SEED = int(os.environ.get('NOVA_CYBORG_SEED', '20261128'))


class TestCase(cloud.TestCase):
    """A story, of which a failure tells all.

    :cvar STEPS: what happens, by the name of a method without ``do_``: how
        often, and to servers of which status.
    :ivar told: the steps so far.
    :ivar sure: the hosts whose last report is recorded.
    :ivar unclean: hosts and slots where servers have been, and nobody has
        cleaned after them.
    """

    STEPS: ty.ClassVar[dict[str, tuple[int, tuple[str, ...]]]] = {}

    def setUp(self) -> None:
        super().setUp()
        self.chance = random.Random(SEED)  # noqa: S311 - no secrets
        self.told: list[str] = []
        self.sure: set[str] = set()
        self.unclean: set[tuple[str, str]] = set()
        self.addOnException(self._attach_story)
        # Of thousands of steps, what is kept of the logs would be too long.
        for name in _OF_REQUESTS:
            log = logging.getLogger(name)
            self.addCleanup(log.setLevel, log.level)
            log.setLevel(logging.WARNING)

    def _attach_story(self, _exc_info: object) -> None:
        content = testtools.content.text_content('\n'.join(self.told))
        self.addDetail('steps', content)

    def tell(self, text: str) -> None:
        """Add to what is told of this step."""
        self.told[-1] += f' {text}'

    def all_sure(self) -> bool:
        """Tell whether the last reports of all hosts are recorded."""
        return self.sure.issuperset(self.HOSTS)

    def any_server(self, step: str) -> checks.Guest:
        """Choose a server that a step can be done with."""
        _weight, statuses = self.STEPS[step]
        return self.chance.choice(
            [each for each in self.servers if each.status in statuses]
        )

    def any_host(self) -> str:
        """Choose a host."""
        host = self.chance.choice(self.HOSTS)
        self.tell(host)
        return host
