# SPDX-License-Identifier: Apache-2.0

"""One run: both systems in turn, with ever more accelerators bound."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import subprocess
import time

from tools.bench import arguments, exception
from tools.bench.clouds import system as system_module
from tools.bench.clouds import up
from tools.bench.model import measured, systems
from tools.bench.operations import (
    memory,
    samples,
    sizes,
    stories,
    throughput,
)
from tools.bench.population import growth, names
from tools.bench.results import calls, machine, results
from tools.cloud.machine import installation
from tools.command_line import progress

_Do = collections.abc.Callable[[stories.Stories], None]
_MANAGE = installation.script(installation.MANAGE)


class Run:
    """Measures both clouds.

    :param clouds: the clouds, by whether they have the plugin.
    :param size: how much is measured.
    :param report: where to tell how far it has come.
    """

    def __init__(
        self,
        clouds: dict[bool, up.Measured],
        size: arguments.Size,
        report: progress.Progress,
    ) -> None:
        self._clouds = clouds
        self._size = size
        self._report = report
        self._systems = system_module.of(clouds, list(size.systems))
        self._samples = samples.Samples()
        self._throughput: list[measured.Throughput] = []
        self._memory: list[measured.Memory] = []
        self._tables: list[measured.Table] = []
        self._machine = machine.describe()
        url = clouds[True].cloud.database_url('cyborg')
        self._machine['database'] = machine.database(url)

    def go(self) -> collections.abc.Iterator[results.Results]:
        """Measure with one number of bound accelerators after the other.

        :returns: what was found until then, after each of them.
        :raises BenchError: if there is something that cannot be measured.
        """
        growths = self._growths()
        with self._report.step('warmed up'):
            for system in self._systems:
                self._warm_up(system)
        for bound, part in names.parts(self._size.bounds):
            with self._report.step(f'{bound:,} bound: added'):
                for growing in growths:
                    growing.add(part)
            if bound <= self._size.audited:
                with self._report.step(f'{bound:,} bound: the audit'):
                    self._audit()
            self._measure(bound)
            for each in self._clouds.values():
                self._memory += memory.look(each, bound)
                self._tables += sizes.look(each, bound)
            if bound in self._size.crowds:
                self._crowd(bound)
            yield self._found(bound == self._size.bounds[-1])

    def _growths(self) -> list[growth.Growth]:
        """Boot a server on each cloud, for others to be copies of."""
        # The last one on a cloud: device contexts, where there are any.
        of_cloud = {each.measured.plugin: each for each in self._systems}
        return [growth.Growth(each) for each in of_cloud.values()]

    def _warm_up(self, system: system_module.System) -> None:
        """Have all be loaded, and cached, that is so with the first use."""
        story = stories.Stories(system, samples.Samples(), 0)
        story.accelerated()
        story.plain()

    def _measure(self, bound: int) -> None:
        spent: collections.Counter[str] = collections.Counter()
        for turn in range(self._size.repeat):
            # In turn, and the other one first each time.
            order = self._systems[:: -1 if turn % 2 else 1]
            for system in order:
                if spent[system.name] >= self._size.budget:
                    continue
                begin = time.monotonic()
                self._tell(system, bound, turn)
                spent[system.name] += int(time.monotonic() - begin)
        # What is not of those was written down meanwhile, too.
        for each in self._clouds.values():
            each.traces.skip()

    def _tell(
        self, system: system_module.System, bound: int, turn: int
    ) -> None:
        story = stories.Stories(system, self._samples, bound)
        what = f'{bound:,} bound, {turn + 1} of {self._size.repeat}'
        whole = [story.accelerated]
        if system.name != systems.PROFILES:
            whole.append(story.plain)
        if system.name == systems.CONTEXTS:
            whole += [story.lists, story.many]
        begin, failures = time.monotonic(), len(self._samples.failures)
        for do in whole:
            try:
                do()
            except exception.BenchError:
                # It is among the failures, and what follows is not like it.
                continue
        seconds = time.monotonic() - begin
        failed = self._samples.failures[failures:]
        words = [f'{what}: {system.name}, {seconds:.1f} s']
        words += [
            f'  FAILED {each.operation}: {each.reason}' for each in failed
        ]
        for line in words:
            with self._report.step(line):
                pass

    def _crowd(self, bound: int) -> None:
        for clients in self._size.clients:
            for system in self._systems:
                found = throughput.measure(
                    system, bound, clients, self._size.seconds
                )
                self._throughput.append(found)
                what = (
                    f'{bound:,} bound, {clients} clients: {system.name}, '
                    f'{found.rate:.3g} a minute, {found.failed} failed'
                )
                with self._report.step(what):
                    pass
        for each in self._clouds.values():
            each.traces.skip()

    def _audit(self) -> None:
        """Make sure that what was added is as if it had been booted.

        :raises Inconsistent: if it is not.
        """
        folder = self._clouds[True].cloud.folder
        done = subprocess.run(
            [
                _MANAGE,
                f'--config-file={folder}/etc/cyborg/cyborg.conf',
                *('audit', '--grace=0'),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise exception.Inconsistent(done.stdout)

    def _found(self, ended: bool) -> results.Results:
        return results.Results(
            self._machine,
            dataclasses.asdict(self._size),
            results.summarise(self._samples.found, self._samples.failures),
            self._throughput,
            self._memory,
            calls.of(self._samples.found),
            self._tables,
            ended,
        )
