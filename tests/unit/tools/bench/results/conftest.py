# SPDX-License-Identifier: Apache-2.0

import pytest

from tools.bench.model import measured, operations, systems
from tools.bench.results import calls, phases, results, statistics

LIVES = (operations.BOOT, operations.REBOOT, operations.DELETE)


def operation(name, bound, seconds, counts=None, of=systems.CONTEXTS):
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
        parameters={'systems': [systems.STOCK, systems.CONTEXTS]},
        operations=[
            *(
                operation(name, bound, seconds, of=one)
                for name in LIVES
                for one, bound, seconds in (
                    (systems.CONTEXTS, 10, 0.1),
                    (systems.CONTEXTS, 1000, 0.1),
                    (systems.CONTEXTS, 10000, 0.11),
                    (systems.STOCK, 10, 0.2),
                    (systems.STOCK, 1000, 10.0),
                )
            ),
            operation(operations.BOOT_MANY, 10000, 0.22),
            operation(operations.BOOT_PLAIN, 10, 1.0, {'messages': 3}),
            operation(
                operations.BOOT_PLAIN, 10, 1.05, {'messages': 3}, systems.STOCK
            ),
        ],
        throughput=[
            measured.Throughput(systems.CONTEXTS, 10, 32, 60, 0, 60.0),
            measured.Throughput(systems.STOCK, 10, 32, 40, 1, 60.0),
        ],
        memory=[measured.Memory(True, 'nova', 10, 2, 3 * 2**20, 2 * 2**20)],
        calls=[
            calls.Call(
                systems.CONTEXTS,
                operations.BOOT,
                10000,
                'cyborg-api',
                'POST /v2/device_allocations/{id}/bind',
                times=1,
                seconds=0.02,
                statements=10,
                most=11,
                writes=1,
                messages=0,
                size=512,
            )
        ],
        tables=[
            measured.Table(True, 10000, 'device_contexts', 20000, 10240000),
            measured.Table(True, 10000, 'leases', 1, 16384),
            measured.Table(False, 10000, 'devices', 1000, 16384),
        ],
        ended=True,
    )
