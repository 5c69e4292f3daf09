# SPDX-License-Identifier: Apache-2.0

import pytest

from tools.bench import arguments


def size(*argv):
    return arguments.parse(argv)[0]


def test_all_is_measured_on_mariadb():
    found = size()

    assert found.database == 'mariadb'
    assert found.bounds == (10, 100, 1000, 10000)
    assert found.clients == (1, 8, 32)
    assert found.systems == ('stock', 'contexts')


def test_a_smoke_run_is_short_and_needs_no_root():
    found = size('--smoke')

    assert found.database == 'sqlite'
    assert max(found.bounds) <= 100
    assert found.repeat < size().repeat


def test_options_change_either():
    given = ('--bound', '1000,10', '--repeat', '3', '--clients', '2')

    for found in (size(*given), size('--smoke', *given)):
        assert found.bounds == (10, 1000)
        assert (found.repeat, found.clients) == (3, (2,))
    assert size('--smoke', '--database', 'mariadb').database == 'mariadb'


def test_profiles_with_the_plugin():
    assert size('--profiles').systems == ('stock', 'profiles', 'contexts')


@pytest.mark.parametrize('bound', ['15', '0', 'many', '10,'])
def test_cards_are_bound_as_a_whole(bound, capsys):
    with pytest.raises(SystemExit):
        size('--bound', bound)

    assert '--bound' in capsys.readouterr().err
