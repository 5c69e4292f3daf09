# SPDX-License-Identifier: Apache-2.0

"""The command line of nova-cyborg-status; its checks are tested elsewhere."""

import json

import pytest
from oslo_config import cfg

from nova_cyborg.checks import command_line, results
from nova_cyborg.cmd import status


@pytest.fixture
def sides(monkeypatch):
    """Put what each side says, and what is asked, under the test's control."""
    sides = {
        name: results.success('Yes.')
        for name in ('nova', 'cyborg', 'placement')
    }
    asked = {}

    def check_side(side, files):
        asked[side] = list(files)
        return [(f'{side}: all', sides[side])]

    monkeypatch.setattr(status, '_check_side', check_side)
    monkeypatch.setattr(
        command_line, 'script', lambda: results.success('It is ours.')
    )
    monkeypatch.setattr(status, '_is_here', lambda side: side in sides)
    sides['asked'] = asked
    return sides


@pytest.mark.parametrize(
    ('result', 'code'),
    [
        (results.success('Yes.'), 0),
        (results.warning('Perhaps.'), 1),
        (results.failure('No.'), 2),
    ],
)
def test_the_worst_result_is_the_exit_status(sides, result, code, capsys):
    sides['cyborg'] = result

    assert status.main(['upgrade', 'check']) == code

    assert 'cyborg: all' in capsys.readouterr().out


def test_files_are_handed_on(sides):
    status.main(
        [
            *('--nova-config-file', 'a', '--nova-config-file', 'b'),
            *('--cyborg-config-file', 'c'),
            *('--placement-config-file', 'd', 'upgrade', 'check'),
        ]
    )

    assert sides['asked'] == {
        'nova': ['a', 'b'],
        'cyborg': ['c'],
        'placement': ['d'],
    }


def test_only_the_service_is_looked_at_whose_files_are_given(sides, capsys):
    status.main(['--nova-config-file', 'a', 'upgrade', 'check'])

    assert sides['asked'] == {'nova': ['a']}
    assert not capsys.readouterr().err


def test_a_service_that_is_not_here_is_told(sides, capsys):
    del sides['nova']

    assert status.main(['upgrade', 'check', '--json']) == 0

    captured = capsys.readouterr()
    assert 'Nova is not looked at' in captured.err
    document = json.loads(captured.out)
    assert [each['check'] for each in document['checks']] == [
        'cyborg: all',
        'placement: all',
        'Command line: script cyborg',
    ]


def test_no_service_is_here(sides, capsys):
    del sides['nova'], sides['cyborg'], sides['placement']

    assert status.main(['upgrade', 'check']) == 2

    captured = capsys.readouterr()
    assert '--nova-config-file' in captured.out
    assert not captured.err


def test_a_file_must_be_said_to_be_whose(sides, tmp_path, capsys):
    path = tmp_path / 'nova.conf'
    path.write_text('')

    with pytest.raises(SystemExit) as caught:
        status.main(['--config-file', str(path), 'upgrade', 'check'])

    assert caught.value.code == 255
    assert '--nova-config-file' in capsys.readouterr().err
    assert not sides['asked']


def test_a_file_that_there_is_not(sides, capsys):
    assert status.main(['--config-file', 'none', 'upgrade', 'check']) == 255

    assert 'none' in capsys.readouterr().err


def test_a_service_is_here_if_it_is_configured(monkeypatch):
    found = []
    monkeypatch.setattr(cfg, 'find_config_files', lambda project, prog: found)

    assert not status._is_here('nova')
    found.append('/etc/nova/nova.conf')
    assert status._is_here('nova')
    assert status._is_here('placement')
    monkeypatch.setattr(status.importlib.util, 'find_spec', lambda _name: None)
    assert not status._is_here('nova')
    # What is checked of it needs only its configuration.
    assert status._is_here('placement')
