# SPDX-License-Identifier: Apache-2.0

"""The steps of ``up``."""

import collections.abc
import contextlib
import time

from keystoneauth1 import exceptions as ksa_exc

from tools.cloud import exception, waiting
from tools.cloud.model import credentials, programs
from tools.cloud.model import kind as cloud_kind
from tools.cloud.model import state as cloud_state
from tools.cloud.supervisor import supervisord
from tools.cloud.up import readiness, seed
from tools.command_line import progress


class BringUp:
    """Brings a new cloud up.

    :param state: the cloud, whose folder is made.
    :param kind: its kind.
    :param seconds: how long it may take in all.
    :param report: where to tell how far it has come.
    """

    def __init__(
        self,
        state: cloud_state.State,
        kind: cloud_kind.Kind,
        seconds: float,
        report: progress.Progress,
    ) -> None:
        self._state = state
        self._end = time.monotonic() + seconds
        self._report = report
        self._supervisor = supervisord.Supervisor(state)
        self._kind = kind

    def run(self) -> None:
        """Go through the steps.

        :raises StepFailed: if one fails.
        """
        try:
            self._run()
        except ksa_exc.ClientException as error:
            raise exception.StepFailed(f'A request failed: {error}') from error

    def _run(self) -> None:
        with self._report.step('configuration written'):
            self._kind.write_files(self._state)
        with self._report.step('supervisor started'):
            self._supervisor.start(self._kind.programs(self._state))
        self._kind.start(self._state, self)
        for service in ('keystone', 'placement', 'glance', 'neutron'):
            self._wait_for_api(service)
        admin = credentials.log_in_as_admin(self._state)
        with self._report.step('image and network made'):
            # Documents and tests name it so.
            seed.image(admin, 'cirros', self._kind.image(self._state))
            seed.network(admin)
        self._wait_for_api('nova')
        with self._report.step('flavors made'):
            seed.flavors(admin)
        self._wait_for_api('cyborg')
        ready = readiness.Readiness(self._state, admin)
        self.wait('compute hosts present', ready.has_hypervisors)
        self.wait('accelerators reported', ready.has_accelerators)

    def step(self, what: str) -> contextlib.AbstractContextManager[None]:
        """Tell when a block is done, or has failed.

        :param what: what the block does.
        """
        return self._report.step(what)

    def wait(
        self, what: str, condition: collections.abc.Callable[[], bool]
    ) -> None:
        """Wait until a condition holds, and tell.

        :param what: the condition.
        :param condition: tells whether it holds.
        :raises StepFailed: if it does not in time, or a process ends.
        """
        with self._report.step(what):
            waiting.until(
                f'"{what}"',
                condition,
                max(self._end - time.monotonic(), 0),
                self._supervisor.check,
            )

    def start(self, *names: str) -> None:
        """Start programs, and wait until they are ready.

        :param names: their names, or those of their services.
        :raises StepFailed: if one does not start in time.
        """
        every = self._kind.programs(self._state)
        for name in names:
            self._supervisor.start_service(name)
        for name in names:
            for each in programs.named(every, name):
                self.wait(f'{each.name} runs', each.is_ready)

    def _wait_for_api(self, service: str) -> None:
        url = self._state.url(service)
        self.wait(f'{service} answers', lambda: waiting.answers(url))
