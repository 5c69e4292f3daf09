# SPDX-License-Identifier: Apache-2.0

"""Tells how much damage there is while the run goes."""

import threading

from tools.command_line import progress
from tools.seldom.chaos.actors import administrator
from tools.seldom.chaos.damage import count, looking


class Onlooker(threading.Thread):
    """Looks every few seconds, until it is told to stop.

    What it counts may be under way.

    :param counter: what counts the damage.
    :param helper: who looks after the servers that were left, meanwhile.
    :param report: where to tell.
    """

    def __init__(
        self,
        counter: count.Count,
        helper: administrator.Administrator,
        report: progress.Progress,
    ) -> None:
        super().__init__(name='onlooker', daemon=True)
        self._counter = counter
        self._helper = helper
        self._report = report
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Look, until :meth:`finish`."""
        while not self._stop_now.wait(looking.PAUSE):
            self._helper.look_after()
            damage = looking.words(looking.look(self._counter))
            with self._report.step(f'meanwhile: {damage}'):
                pass

    def finish(self) -> None:
        """End it, once it has looked."""
        self._stop_now.set()
        self.join()
