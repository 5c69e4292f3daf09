# SPDX-License-Identifier: Apache-2.0

"""Results, and running checks."""

from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks import results


def test_a_check_that_breaks_hides_no_other():
    def broken():
        raise ValueError('no such thing')

    found = results.run(
        {'first': broken, 'second': lambda: results.success('All is well.')}
    )

    assert [item['result'] for item in found] == [2, 0]
    assert 'ValueError: no such thing' in found[0]['details']


def test_a_result_comes_through_as_it_was():
    sent = results.warning('Look at this.')

    name, received = results.from_dict(results.as_dict('a check', sent))

    assert name == 'a check'
    assert received.code is upgradecheck.Code.WARNING
    assert received.details == 'Look at this.'


def test_the_worst_of_several():
    found = [results.warning('One.'), results.failure('Two.')]

    worst = results.worst(found, 'All is well.')

    assert worst.code is upgradecheck.Code.FAILURE
    assert worst.details == 'One. Two.'


def test_the_worst_of_none():
    worst = results.worst([], 'All is well.')

    assert worst.code is upgradecheck.Code.SUCCESS
    assert worst.details == 'All is well.'
