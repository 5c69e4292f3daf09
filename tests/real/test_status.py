# SPDX-License-Identifier: Apache-2.0

"""A nova-conductor without the plugin, found over a real message bus."""

import collections.abc
import configparser
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import typing as ty

from tests.e2e import person, waiting
from tools.cloud import cloud as cloud_module
from tools.cloud.machine import installation

_HOST = 'conductor-without-plugin'
_CHECK = 'Nova: every nova-conductor'
_SUCCESS, _FAILURE = 0, 2
_SECONDS = 120


@contextlib.contextmanager
def _stock_conductor(
    cloud: cloud_module.Cloud, admin: person.Person, folder: pathlib.Path
) -> collections.abc.Iterator[None]:
    """Have one more nova-conductor in a cell, as it comes from Nova."""
    parser = configparser.RawConfigParser()
    parser.read(cloud.folder / 'etc' / 'nova' / 'cell1.conf')
    parser.set('DEFAULT', 'host', _HOST)
    parser.remove_option('oslo_messaging_notifications', 'driver')
    path = folder / 'nova.conf'
    with path.open('w') as stream:
        parser.write(stream)
    with (folder / 'nova-conductor.log').open('w') as log:
        process = subprocess.Popen(
            [
                installation.script('nova-conductor'),
                f'--config-file={path}',
            ],
            env={**os.environ, **installation.environment()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS)
        finally:
            process.kill()
        ended = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        for service in _services(admin, f'host={_HOST}'):
            admin.compute.delete(f'/os-services/{service["id"]}')
        # A nova-compute whose report it took along waits for its answer so
        # long that the host counts as down.
        waiting.until(
            'every nova-compute to report again',
            lambda: all(
                datetime.datetime.fromisoformat(service['updated_at']) > ended
                for service in _services(admin, 'binary=nova-compute')
            ),
            _SECONDS,
        )


def _services(admin: person.Person, query: str) -> list[dict[str, ty.Any]]:
    found = admin.compute.get(f'/os-services?{query}').json()
    return list(found['services'])


def test_it_is_found(
    cloud: cloud_module.Cloud, admin: person.Person, tmp_path: pathlib.Path
) -> None:
    command = (
        'nova-cyborg-status --nova-config-file '
        f'{cloud.folder}/etc/nova/nova.conf upgrade check --json'
    )

    def check() -> tuple[int, str]:
        (found,) = (
            (each['result'], each['details'])
            for each in json.loads(admin.try_to(command).out)['checks']
            if each['check'] == _CHECK
        )
        return found

    assert check()[0] == _SUCCESS
    with _stock_conductor(cloud, admin, tmp_path):
        waiting.until(
            'the conductor to be found',
            lambda: check()[0] == _FAILURE and _HOST in check()[1],
            _SECONDS,
        )
    assert check()[0] == _SUCCESS
