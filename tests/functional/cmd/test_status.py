# SPDX-License-Identifier: Apache-2.0

"""nova-cyborg-status with the services' own configuration."""

import pytest

from nova_cyborg.cmd import status


@pytest.mark.parametrize('side', ['nova', 'cyborg'])
def test_a_configuration_that_cannot_be_read(side, tmp_path, capsys):
    path = tmp_path / 'broken.conf'
    path.write_text('[DEFAULT\n')

    code = status.main(
        [f'--{side}-config-file', str(path), 'upgrade', 'check']
    )

    assert code == 2
    # The table breaks the lines.
    words = ' '.join(capsys.readouterr().out.replace('|', '').split())
    assert f'{side.capitalize()} could not be looked at' in words
    assert 'broken.conf' in words


def test_a_database_that_nobody_has_named(tmp_path, capsys):
    path = tmp_path / 'cyborg.conf'
    path.write_text('[database]\n')

    code = status.main(['--cyborg-config-file', str(path), 'upgrade', 'check'])

    assert code == 2
    words = ' '.join(capsys.readouterr().out.replace('|', '').split())
    assert 'There is no [database] connection in' in words
    assert 'tables are at revision' not in words
