# SPDX-License-Identifier: Apache-2.0

"""What nova-cyborg-manage audit prints, and how it exits."""

import argparse

import pytest

from nova_cyborg.cmd import audit, manage


def test_the_table(cloud, running, placement, capsys):
    _provider, server_id, _context_id = running
    cloud.nova.delete(server_id)

    for repair, word in ((False, 'False'), (True, 'True')):
        arguments = argparse.Namespace(repair=repair, format='table', grace=0)
        assert audit.run(arguments) == (0 if repair else 1)
        output = capsys.readouterr().out
        header, *rows = [
            [cell.strip() for cell in line.strip('|').split('|')]
            for line in output.splitlines()
            if line.startswith('|')
        ]
        assert header == ['kind', 'subject', 'detail', 'repaired']
        first = rows[0]
        assert first[:2] == ['held-by-no-server', server_id]
        assert first[3] == word


@pytest.mark.parametrize(
    'grace', ['-1', '86401', '1.5', 'x', '', '\u0663', '9' * 5000]
)
def test_a_grace_that_is_none(grace, capsys):
    with pytest.raises(SystemExit) as info:
        manage.main(['audit', f'--grace={grace}'])

    assert info.value.code == 2
    error = capsys.readouterr().err
    assert 'argument --grace: ' in error
    assert 'is not a whole number from 0 to 86400' in error


@pytest.mark.parametrize('grace', ['0', '86400'])
def test_a_grace(grace):
    parser = argparse.ArgumentParser()
    audit.add_command(parser.add_subparsers())

    assert parser.parse_args(['audit', '--grace', grace]).grace == int(grace)
