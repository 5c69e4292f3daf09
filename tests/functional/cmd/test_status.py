# SPDX-License-Identifier: Apache-2.0

"""nova-cyborg-status with the services' own configuration."""

import pytest

from nova_cyborg.cmd import status


@pytest.mark.parametrize('side', ['nova', 'cyborg', 'placement'])
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


_PRUNES = """
[placement]
max_allocation_candidates = 1000
allocation_candidates_generation_strategy = breadth-first
[workarounds]
optimize_for_wide_provider_trees = true
"""


@pytest.mark.parametrize(
    ('text', 'code', 'sentences'),
    [
        (
            '',
            1,
            (
                'has not [placement] max_allocation_candidates = 1000, '
                '[placement] allocation_candidates_generation_strategy = '
                'breadth-first, [workarounds] '
                'optimize_for_wide_provider_trees = true. Set',
                'placement_prunes of nova.conf must be false',
            ),
        ),
        (
            _PRUNES.replace('1000', '100000'),
            1,
            ('has not [placement] max_allocation_candidates = 1000. Set',),
        ),
        (_PRUNES, 0, ('placement_prunes of nova.conf may be true',)),
    ],
)
def test_the_options_of_placement(text, code, sentences, tmp_path, capsys):
    path = tmp_path / 'placement.conf'
    path.write_text(text)

    found = status.main(
        ['--placement-config-file', str(path), 'upgrade', 'check']
    )

    words = ' '.join(capsys.readouterr().out.replace('|', '').split())
    for sentence in sentences:
        assert sentence in words
    assert found == code
