# SPDX-License-Identifier: Apache-2.0

import pytest

from tools.bench.clouds import system
from tools.bench.operations import memory, stories, throughput
from tools.bench.results import phases, results, statistics


def operation(name, bound, seconds, counts=None, of=system.CONTEXTS):
    """Return an operation that took a time, in each phase."""
    of_phases = dict.fromkeys(
        phases.PHASES, statistics.Summary(3, seconds, seconds, seconds, 0.1)
    )
    return results.Operation(of, name, bound, of_phases, counts or {}, 0)


@pytest.fixture
def found():
    """As of a run in which device contexts cost the same whatever there is."""
    return results.Results(
        machine={'processor': 'Any'},
        parameters={'systems': [system.STOCK, system.CONTEXTS]},
        operations=[
            *(
                operation(name, bound, seconds, of=one)
                for name in (stories.BOOT, stories.REBOOT, stories.DELETE)
                for one, bound, seconds in (
                    (system.CONTEXTS, 10, 0.1),
                    (system.CONTEXTS, 1000, 0.1),
                    (system.CONTEXTS, 10000, 0.11),
                    (system.STOCK, 10, 0.2),
                    (system.STOCK, 1000, 10.0),
                )
            ),
            operation(stories.BOOT_MANY, 10000, 0.22),
            operation(stories.BOOT_PLAIN, 10, 1.0, {'messages': 3}),
            operation(
                stories.BOOT_PLAIN, 10, 1.05, {'messages': 3}, system.STOCK
            ),
        ],
        throughput=[
            throughput.Throughput(system.CONTEXTS, 10, 32, 60, 0, 60.0),
            throughput.Throughput(system.STOCK, 10, 32, 40, 1, 60.0),
        ],
        memory=[memory.Memory(True, 'nova', 10, 2, 3 * 2**20, 2 * 2**20)],
        bind=results.Unit(11, 1, 0),
        ended=True,
    )
