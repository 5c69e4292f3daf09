# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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
