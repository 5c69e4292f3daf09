# SPDX-License-Identifier: Apache-2.0
"""The command line of the embedded cloud: what it refuses."""

import signal
import sys

import pytest

from tools.cloud import cli, cloud, exception, kinds

_DEVICE = 'devices: [{address: "0000:0c:00.0", vendor: "8086"}]\n'


@pytest.fixture
def up(tmp_path, capsys):
    """Tries ``up``; returns the exit status and what was complained of."""

    def _up(*arguments, folder=tmp_path / 'cloud'):
        try:
            status = cli.main(['--state', str(folder), 'up', *arguments])
        except SystemExit as error:
            status = error.code
        return status, capsys.readouterr().err

    # The command has signals end it as Ctrl-C does.
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    }
    hook = sys.unraisablehook
    yield _up
    for number, handler in handlers.items():
        signal.signal(number, handler)
    sys.unraisablehook = hook


@pytest.mark.parametrize('number', ['0', '-1', 'two', '1.5', '', '²'])
def test_a_number_of_hosts_that_is_none(up, number):
    status, complaint = up('--computes', number)

    assert status == 2
    assert f'--computes: {number} is not a whole number above 0' in complaint


@pytest.mark.parametrize('number', ['-1', 'two', '²', ''])
def test_a_number_of_real_hosts_that_is_none(up, number):
    status, complaint = up('--production', '--real-hosts', number)

    assert status == 2
    assert f'--real-hosts: {number} is not a whole number' in complaint


@pytest.mark.parametrize('number', ['0', '-1', 'nan', 'inf', '1e999', 'soon'])
def test_a_time_that_is_none(up, number):
    status, complaint = up('--timeout', number)

    assert status == 2
    assert f'--timeout: {number} is not a number of seconds' in complaint


@pytest.mark.parametrize('number', ['0', '-1', '1.5'])
def test_a_number_of_lines_that_is_none(capsys, number):
    with pytest.raises(SystemExit, match='2'):
        cli.main(['logs', '--lines', number])

    assert f'{number} is not a whole number above 0' in capsys.readouterr().err


def test_a_cloud_of_no_kind():
    with pytest.raises(
        exception.UnknownKind, match="no kind of cloud 'other'"
    ):
        kinds.of('other')


def test_more_hosts_than_a_machine_can_have(up, tmp_path):
    status, complaint = up('--computes', '100000')

    assert status == 1
    assert 'A cloud of the kind embedded has at most 64' in complaint
    assert not list(tmp_path.iterdir())


def test_real_hosts_of_an_embedded_cloud(up):
    status, complaint = up('--real-hosts', '1')

    assert status == 1
    assert 'A cloud of the kind embedded takes no --real-hosts' in complaint


@pytest.mark.parametrize(
    ('kind', 'database', 'known'),
    [
        ((), 'postgresql', 'Choose one of sqlite, or'),
        (('--production',), 'oracle', 'Choose one of mariadb, postgresql, or'),
    ],
)
def test_a_database_that_the_kind_has_not(up, kind, database, known):
    status, complaint = up(*kind, '--database', database)

    assert status == 1
    assert f'has no {database} database' in complaint
    assert known in complaint


def test_a_folder_that_is_a_file(up, tmp_path):
    path = tmp_path / 'file'
    path.touch()

    status, complaint = up(folder=path)

    assert status == 1
    assert f'{path} cannot be the folder of a cloud: Not a dir' in complaint


def test_a_folder_that_cannot_be_made(up):
    status, complaint = up(folder='/proc/cloud')

    assert status == 1
    assert '/proc/cloud cannot be the folder of a cloud' in complaint


def test_a_folder_of_another(up, tmp_path):
    (tmp_path / 'letters').mkdir()

    status, complaint = up(folder=tmp_path)

    assert status == 1
    assert f'{tmp_path} is not empty' in complaint


def test_more_devices_files_than_hosts(up):
    status, complaint = up('--devices', 'a.yaml', '--devices', 'b.yaml')

    assert status == 1
    assert '2 devices files are given for 1 compute host.' in complaint


def test_a_devices_file_that_is_not_there(up, tmp_path):
    path = tmp_path / 'none.yaml'

    status, complaint = up('--devices', str(path))

    assert status == 1
    assert f'Devices file {path}: No such file' in complaint


def test_a_devices_file_that_the_agent_would_refuse(up, tmp_path):
    path = tmp_path / 'devices.yaml'
    path.write_text(_DEVICE)

    status, complaint = up('--devices', str(path))

    assert status == 1
    assert f'Devices file {path}: device 1 (0000:0c:00.0): ' in complaint
    assert 'product' in complaint
    assert not cloud.Cloud(tmp_path / 'cloud').folder.exists()
