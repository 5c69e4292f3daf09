# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-exporter``: numbers of the cloud, for Prometheus.

It reads Cyborg's database, with three statements a scrape, and is no part of
an API that has many processes.
"""

import argparse
import collections.abc
import logging
import signal
import sys
import threading
import types

import prometheus_client
from cyborg import context as cyborg_context
from prometheus_client import core, registry

from nova_cyborg import model
from nova_cyborg.cmd import configured
from nova_cyborg.db import session
from nova_cyborg.db.events import actions
from nova_cyborg.db.metrics import counts, gauges

LOG = logging.getLogger(__name__)

#: Where it listens by default: nowhere but here, as it asks for no password.
ADDRESS = '127.0.0.1'
PORT = 9890

_PREFIX = 'nova_cyborg'
_Counts = collections.abc.Mapping[tuple[str, str], counts.Count]
_Metrics = collections.abc.Iterator[core.Metric]


class Collector(registry.Collector):
    """Reads the numbers when they are asked for, one time after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def collect(self) -> _Metrics:
        """Return the metrics; only that it is down if the database is."""
        try:
            with self._lock:
                found = list(_read())
        except session.FAILURES as error:
            LOG.warning(
                'The database could not be read for metrics: %s',
                session.reason(error),
            )
            found = []
        up = core.GaugeMetricFamily(
            f'{_PREFIX}_up', 'Whether the database could be read.'
        )
        up.add_metric([], bool(found))
        yield up
        yield from found

    def describe(self) -> collections.abc.Iterable[core.Metric]:
        """Return nothing: what there is, is known when it is read."""
        return []


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: the arguments; the process's own if None.
    :returns: the exit status.
    """
    arguments = _parser().parse_args(argv)
    return configured.run(
        'nova-cyborg-exporter',
        arguments.config_file or [],
        lambda: _run(arguments),
        'Name it so: nova-cyborg-exporter --config-file PATH.',
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='nova-cyborg-exporter',
        description='Serve metrics of device contexts and slots to '
        'Prometheus, at /metrics, from the database of Cyborg.',
    )
    parser.add_argument(
        '--config-file',
        action='append',
        metavar='PATH',
        help='a configuration file of cyborg-api; may be repeated '
        "(default: Cyborg's usual places)",
    )
    parser.add_argument(
        '--address',
        default=ADDRESS,
        help='the address to listen at (default: %(default)s); whoever '
        'reaches it may read',
    )
    parser.add_argument(
        '--port',
        type=_port,
        default=PORT,
        help='the port to listen at (default: %(default)s)',
    )
    parser.add_argument(
        '--once',
        action='store_true',
        help='print the metrics and end, for a file that is collected',
    )
    return parser


def _port(text: str) -> int:
    # int() refuses thousands of digits.
    if text.isascii() and text.isdecimal() and len(text) < 6:
        port = int(text)
        if 0 < port < 2**16:
            return port
    raise argparse.ArgumentTypeError(f'"{text}" is no port')


def _run(arguments: argparse.Namespace) -> int:
    collected = prometheus_client.CollectorRegistry()
    collected.register(Collector())
    if arguments.once:
        text = prometheus_client.generate_latest(collected).decode()
        sys.stdout.write(text)
        return 0 if f'{_PREFIX}_up 1.0' in text else 2
    ended = threading.Event()

    def end(_signal: int, _frame: types.FrameType | None) -> None:
        ended.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    try:
        prometheus_client.start_http_server(
            arguments.port, arguments.address, collected
        )
    except OSError as error:
        print(
            f'Port {arguments.port} at {arguments.address} cannot be '
            f'listened at: {error.strerror or error}. Say --port and '
            '--address.',
            file=sys.stderr,
        )
        return 2
    LOG.info(
        'Metrics are at http://%s:%d/metrics',
        arguments.address,
        arguments.port,
    )
    ended.wait()
    return 0


def _read() -> _Metrics:
    context = cyborg_context.get_admin_context()
    yield _contexts(gauges.contexts(context))
    yield _slots(gauges.slots(context))
    counted = counts.read(context)
    yield _events(counted)
    yield _refusals(counted)
    yield _bindings(counted)


def _contexts(found: collections.abc.Mapping[str, int]) -> core.Metric:
    metric = core.GaugeMetricFamily(
        f'{_PREFIX}_device_contexts',
        'Device contexts, by status.',
        labels=['status'],
    )
    for status in model.Status.ALL:
        metric.add_metric([status], found.get(status, 0))
    return metric


def _slots(found: collections.abc.Iterable[gauges.Slots]) -> core.Metric:
    metric = core.GaugeMetricFamily(
        f'{_PREFIX}_slots',
        'Slots of devices: free, used by a server, or drained.',
        labels=['resource_class', 'host', 'state'],
    )
    kinds: dict[tuple[str, str], dict[str, int]] = {}
    for each in found:
        states = kinds.setdefault((each.resource_class, each.host), {})
        states[each.state] = each.count
    for (resource_class, host), states in kinds.items():
        for state in gauges.STATES:
            metric.add_metric(
                [resource_class, host, state], states.get(state, 0)
            )
    return metric


def _events(counted: _Counts) -> core.Metric:
    metric = core.CounterMetricFamily(
        f'{_PREFIX}_events',
        'What was done with device contexts, and how it went.',
        labels=['action', 'outcome'],
    )
    for action in actions.Action.ALL:
        for outcome in actions.outcomes(action):
            label = (counts.EVENTS, f'{action}/{outcome}')
            times = counted.get(label, counts.Count()).times
            metric.add_metric([action, outcome], times)
    return metric


def _refusals(counted: _Counts) -> core.Metric:
    metric = core.CounterMetricFamily(
        f'{_PREFIX}_refusals',
        'Requests that were refused, by the code of the error, and servers '
        'for which there was no host, by why.',
        labels=['reason'],
    )
    for (name, label), count in sorted(counted.items()):
        if name == counts.REFUSALS:
            metric.add_metric([label], count.times)
    return metric


def _bindings(counted: _Counts) -> core.Metric:
    buckets: list[tuple[str, float]] = []
    total = counts.Count()
    for label in counts.SECONDS_LABELS:
        total += counted.get((counts.BINDINGS, label), counts.Count())
        buckets.append((label, total.times))
    return core.HistogramMetricFamily(
        f'{_PREFIX}_binding_seconds',
        'How long it took to bind a device context.',
        buckets=buckets,
        sum_value=total.seconds,
    )


if __name__ == '__main__':
    sys.exit(main())
