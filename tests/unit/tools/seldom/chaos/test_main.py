# SPDX-License-Identifier: Apache-2.0

import pytest

from tools.seldom.chaos import __main__ as command


@pytest.mark.parametrize(
    ('option', 'number', 'reason'),
    [
        ('--boots', '0', '0 is not a whole number above 0'),
        ('--boots', '-1', '-1 is not a whole number above 0'),
        ('--clients', '0', '0 is not a whole number above 0'),
        ('--clients', 'nan', 'nan is not a whole number above 0'),
        ('--seed', '-1', '-1 is not a whole number'),
        ('--conductors', '0', '0 is not a whole number above 0'),
        ('--victims', 'keystone', "invalid choice: 'keystone'"),
    ],
)
def test_numbers_that_make_no_sense(capsys, option, number, reason):
    with pytest.raises(SystemExit, match='2'):
        command.main([option, number])

    assert f'{option}: {reason}' in capsys.readouterr().err


def test_a_cloud_that_is_up_has_the_conductors_that_it_has(capsys):
    with pytest.raises(SystemExit, match='2'):
        command.main(['--state', 'folder', '--conductors', '2'])

    assert 'it is for a cloud of its own' in capsys.readouterr().err
