# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-status upgrade check``, as an operator runs it."""

import collections.abc
import configparser
import json
import pathlib
import shlex
import typing as ty

import pytest

from tests.e2e import person
from tools.cloud import cloud as cloud_module
from tools.cloud import kinds

_SUCCESS, _WARNING, _FAILURE = range(3)
# Those that ask on message buses.
_ASKING = (
    'Nova: every nova-conductor',
    'Cyborg: every cyborg-conductor',
    'Cyborg: every cyborg-agent',
)
_Run = collections.abc.Callable[..., dict[str, ty.Any]]
_Changes = dict[str, dict[str, str]]


@pytest.fixture
def check(
    cloud: cloud_module.Cloud, admin: person.Person, tmp_path: pathlib.Path
) -> _Run:
    """Run it with the cloud's files, changed; returns results by check."""

    def _check(
        nova: _Changes | None = None, cyborg: _Changes | None = None
    ) -> dict[str, ty.Any]:
        words = ['nova-cyborg-status']
        for name, changes in (('nova', nova), ('cyborg', cyborg)):
            if changes is None:
                continue
            path = cloud.folder / 'etc' / name / f'{name}.conf'
            changed = _changed(path, changes, tmp_path / path.name)
            words += [f'--{name}-config-file', str(changed)]
        done = admin.try_to(shlex.join([*words, 'upgrade', 'check', '--json']))
        assert done.out, done
        found = {
            each['check']: (each['result'], each['details'])
            for each in json.loads(done.out)['checks']
        }
        assert done.code == max(code for code, _details in found.values())
        return found

    return _check


def _changed(
    path: pathlib.Path, changes: _Changes, copy: pathlib.Path
) -> pathlib.Path:
    parser = configparser.RawConfigParser()
    parser.read(path)
    parser.read_dict(changes)
    with copy.open('w') as stream:
        parser.write(stream)
    return copy


def _credentials(owner: person.Person) -> dict[str, str]:
    return {
        'username': owner.environment['OS_USERNAME'],
        'password': owner.environment['OS_PASSWORD'],
        'project_name': owner.environment['OS_PROJECT_NAME'],
    }


def test_a_cloud_as_it_should_be(
    cloud: cloud_module.Cloud, check: _Run
) -> None:
    found = check(nova={}, cyborg={})

    for code, details in map(found.pop, _ASKING):
        if cloud.kind() == kinds.EMBEDDED:
            # Its message buses are in the processes of the services.
            assert (code, 'fake:' in details) == (_WARNING, True), details
        else:
            assert code == _SUCCESS, details
    assert len(found) == 17
    assert {
        name: each for name, each in found.items() if each[0] != _SUCCESS
    } == {}


def test_wrong_passwords(check: _Run) -> None:
    found = check(
        nova={'service_user': {'password': 'wrong'}},
        cyborg={'nova': {'password': 'wrong'}},
    )

    code, details = found['Nova: service token']
    assert (code, '[service_user]' in details) == (_FAILURE, True), details
    code, details = found['Cyborg: servers of all projects']
    assert (code, '[nova]' in details) == (_FAILURE, True), details


def test_users_without_their_roles(check: _Run, demo: person.Person) -> None:
    found = check(
        nova={'service_user': _credentials(demo)},
        cyborg={'nova': _credentials(demo)},
    )

    assert found["Nova: Cyborg's device contexts"][0] == _SUCCESS
    code, details = found["Nova: Cyborg's allocations"]
    assert (code, 'service_token_roles' in details) == (_FAILURE, True)
    code, details = found['Cyborg: servers of all projects']
    assert (code, 'role admin' in details) == (_FAILURE, True), details


def test_a_wrong_region_a_policy_file_and_an_empty_database(
    check: _Run, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / 'policy.yaml'
    # It locks members out.
    path.write_text('"cyborg:device_allocation:bind": "role:service"\n')
    connection = f'sqlite:///{tmp_path}/none.sqlite'

    found = check(
        nova={'cyborg': {'region_name': 'Nowhere'}},
        cyborg={
            'oslo_policy': {'policy_file': str(path)},
            'database': {'connection': connection},
        },
    )

    code, details = found["Nova: Cyborg's device contexts"]
    assert code == _FAILURE
    assert 'the catalog has no endpoint for it' in details
    code, details = found['Cyborg: policies']
    assert (code, 'device_allocation:bind' in details) == (_FAILURE, True)
    code, details = found['Cyborg: schema']
    assert (code, 'db upgrade' in details) == (_FAILURE, True), details
