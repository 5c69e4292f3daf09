# SPDX-License-Identifier: Apache-2.0

"""Two clouds, alike in all but the plugin, side by side."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import os
import pathlib
import tempfile

from tools.bench.clouds import api
from tools.bench.model import operations
from tools.bench.tracing import reading, recording
from tools.cloud import cloud as cloud_module
from tools.cloud import kinds, wanted
from tools.cloud.model import addresses
from tools.command_line import progress

_HERE = pathlib.Path(__file__).resolve().parents[1]
_DEVICES = _HERE / 'devices.yaml'
# Python runs what it finds here when a service starts.
_START = _HERE / 'tracing' / 'start'
_PATH = 'PYTHONPATH'
_HOSTS = 2
# By default, less than is measured.
_NOVA_OPTIONS = {'max_groups_per_server': str(operations.MOST_CONTEXTS)}
_CYBORG_OPTIONS = {'max_contexts_per_project': '-1'}
# On a machine that others use as well.
_SECONDS = 1800.0


@dataclasses.dataclass(frozen=True)
class Measured:
    """A cloud whose services write down what they do.

    :ivar cloud: the cloud.
    :ivar plugin: whether its services have the plugin.
    :ivar traces: what they have written.
    """

    cloud: cloud_module.Cloud
    plugin: bool
    traces: reading.Traces


@contextlib.contextmanager
def both(
    database: str, report: progress.Progress
) -> collections.abc.Iterator[dict[bool, Measured]]:
    """Bring both clouds up, and take them down in the end.

    :param database: the kind of database.
    :param report: where to tell how far it has come.
    :returns: a context manager that gives the clouds, by whether they have
        the plugin.
    :raises CloudError: if one does not come up.
    """
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as parent:
        found = {
            plugin: _measured(pathlib.Path(parent), plugin)
            for plugin in (False, True)
        }
        try:
            for each in found.values():
                _up(each, database, report)
            yield found
        finally:
            for each in found.values():
                each.cloud.down()


def _measured(parent: pathlib.Path, plugin: bool) -> Measured:
    name = 'plugin' if plugin else 'stock'
    traces = parent / f'{name}-traces'
    traces.mkdir()
    return Measured(
        cloud_module.Cloud(parent / name),
        plugin,
        reading.Traces(traces, api.FOLLOWED),
    )


def _up(measured: Measured, database: str, report: progress.Progress) -> None:
    kind = kinds.EMBEDDED
    if database != addresses.SQLITE:
        kind = kinds.PRODUCTION
    asked = wanted.Wanted(
        kind,
        computes=_HOSTS,
        real=None if kind == kinds.EMBEDDED else 0,
        database=database,
        devices=[_DEVICES] * _HOSTS,
        plugin=measured.plugin,
        seconds=_SECONDS,
        nova_options={'nova_cyborg': _NOVA_OPTIONS},
        cyborg_options={'nova_cyborg': _CYBORG_OPTIONS},
    )
    with (
        report.step(f'{measured.cloud.folder.name}: up'),
        _written_down(measured.traces),
    ):
        measured.cloud.up(asked, report)


@contextlib.contextmanager
def _written_down(
    traces: reading.Traces,
) -> collections.abc.Iterator[None]:
    """Have what is started in a block write down what it does."""
    before = dict(os.environ)
    os.environ[recording.VARIABLE] = str(traces.folder)
    os.environ[_PATH] = os.pathsep.join(
        filter(None, (str(_START), before.get(_PATH)))
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
