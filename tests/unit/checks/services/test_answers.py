# SPDX-License-Identifier: Apache-2.0

"""What the answers of nova-conductors mean."""

import pytest
from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks.services import answers

FIRST = answers.Conductor('host1', 'cell1')
SECOND = answers.Conductor('host2', 'cell2')
ANSWER = {
    'release': '1.0.0',
    'features': ['move', 'suspend', 'live_migrate', 'hot_plug'],
    'options': {
        'conductor_hooks': ['device_context'],
        'max_groups_per_server': 8,
        'max_accelerators_per_server': 64,
    },
}


def judge(**found):
    return answers.judge(answers.Found(**found))


def test_all_have_the_plugin():
    result = judge(answers={FIRST: ANSWER, SECOND: ANSWER})

    assert result.code is upgradecheck.Code.SUCCESS
    assert 'host1 (cell cell1), host2 (cell cell2)' in result.details


@pytest.mark.parametrize(
    ('found', 'code', 'part'),
    [
        ({'without': [SECOND]}, 'FAILURE', 'without the plugin'),
        ({'silent': {SECOND: 'MessagingTimeout'}}, 'FAILURE', 'did not answ'),
        ({'down': [SECOND]}, 'WARNING', 'are down'),
        ({'unheard': [SECOND]}, 'WARNING', 'cannot be asked'),
    ],
)
def test_one_that_is_not_well_is_named(found, code, part):
    result = judge(answers={FIRST: ANSWER}, **found)

    assert result.code is upgradecheck.Code[code]
    assert part in result.details
    assert 'host2 (cell cell2)' in result.details
    assert 'host1' not in result.details


@pytest.mark.parametrize('features', [{}, {'features': ['suspend']}])
def test_one_that_cannot_move_servers_is_named(features):
    without = {key: ANSWER[key] for key in ('release', 'options')}
    result = judge(answers={FIRST: ANSWER, SECOND: {**without, **features}})

    assert result.code is upgradecheck.Code.WARNING
    assert 'refuses it: host2 (cell cell2)' in result.details


def test_no_record_of_any():
    result = judge()

    assert result.code is upgradecheck.Code.FAILURE
    assert 'no record of a nova-conductor' in result.details


def test_all_that_is_not_well_is_told():
    result = judge(without=[FIRST], down=[SECOND])

    assert result.code is upgradecheck.Code.FAILURE
    assert 'host1' in result.details
    assert 'host2' in result.details


def test_different_releases():
    result = judge(
        answers={FIRST: ANSWER, SECOND: {**ANSWER, 'release': '1.1.0'}}
    )

    assert result.code is upgradecheck.Code.WARNING
    assert '1.0.0: host1' in result.details
    assert '1.1.0: host2' in result.details


@pytest.mark.parametrize(
    ('name', 'value', 'told'),
    [
        ('conductor_hooks', ['device_context', 'noop'], 'device_context,noop'),
        ('max_groups_per_server', 4, '4'),
        ('max_accelerators_per_server', 128, '128'),
    ],
)
def test_different_options(name, value, told):
    options = {**ANSWER['options'], name: value}

    result = judge(
        answers={FIRST: ANSWER, SECOND: {**ANSWER, 'options': options}}
    )

    assert result.code is upgradecheck.Code.WARNING
    assert f'[nova_cyborg] {name}' in result.details
    assert f'{told}: host2' in result.details


def test_a_release_that_has_fewer_options():
    """While an upgrade goes on, that alone is no difference."""
    newer = ANSWER | {
        'options': {**ANSWER['options'], 'placement_prunes': True}
    }

    result = judge(answers={FIRST: ANSWER, SECOND: newer})

    assert result.code is upgradecheck.Code.SUCCESS
