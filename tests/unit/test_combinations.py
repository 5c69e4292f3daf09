# SPDX-License-Identifier: Apache-2.0

"""How many combinations of devices Placement tries."""

import itertools

import pytest

from nova_cyborg import combinations, model


def group(amount=1, name='FPGA', required=(), forbidden=(), config=()):
    return model.Group(((name, amount),), required, forbidden, config)


def cards(number, free=1, name='FPGA', traits=(), host='compute1'):
    one = combinations.Provider(host, name, frozenset(traits), free)
    return [one] * number


def count(groups, providers):
    found = combinations.count(groups, providers)
    return found.plain, found.pruned


@pytest.mark.parametrize('number', [2, 4, 6, 8])
def test_equal_groups(number):
    assert count([group()] * number, cards(10)) == (10**number, 0)


@pytest.mark.parametrize('groups', [[], [group()], [group(4)]])
def test_nothing_to_combine(groups):
    assert count(groups, cards(1000, free=9)) == (0, 0)


def test_the_hosts_are_added_up():
    providers = [
        *cards(3),
        *cards(4, host='compute2'),
        # Placement leaves out a host where a group finds nothing.
        *cards(9, name='GPU', host='compute3'),
    ]

    assert count([group(), group()], providers) == (9 + 16, 0)


def test_ways_of_any_part():
    providers = [
        *cards(3, free=1, traits=['A']),
        *cards(5, free=0),
        *cards(4, name='GPU'),
        *cards(2, host='compute2'),
    ]
    groups = [group(9, required=('B',)), group(name='GPU')]

    assert combinations.ways(groups, providers) == 3 * 4 + 2
    assert combinations.ways(groups[:1], providers) == 0
    assert combinations.ways([group(), group(name='X')], providers) == 0
    mixed = model.Group((('FPGA', 1), ('GPU', 1)))
    assert combinations.ways([mixed, group()], providers) == 4 * 3 + 2 * 2


def test_only_what_fits_counts():
    providers = [
        *cards(2, free=2, traits=['A']),
        *cards(3, free=2, traits=['A', 'B']),
        *cards(5, free=1, traits=['A']),
        *cards(7, free=2),
        *cards(11, free=0, traits=['A']),
    ]
    groups = [group(2, required=('A',), forbidden=('B',)), group(name='GPU')]

    assert count(groups, [*providers, *cards(13, name='GPU')]) == (2 * 13, 0)


def test_config_data_is_nothing_to_placement():
    groups = [group(config=(('key', str(n)),)) for n in range(3)]

    assert count(groups, cards(3)) == (27, 0)


def test_what_is_no_device_of_cyborg_counts_once():
    groups = [group(), group(), group(name='LICENSE')]

    assert count(groups, cards(5)) == (25, 0)
    assert count(groups, []) == (0, 0)


def test_several_classes_of_one_provider():
    """Cyborg makes no such provider."""
    both = model.Group((('FPGA', 1), ('GPU', 1)))
    providers = [*cards(2), *cards(2, name='GPU')]

    assert count([both, both], providers) == (0, 0)


def test_a_host_with_too_few_slots():
    """Placement sees that before it tries."""
    assert count([group()] * 8, cards(7)) == (7**8, 0)


def test_slots_that_are_too_small():
    """Placement does not see that before it tries."""
    assert count([group(2)] * 3, cards(2, free=3)) == (8, 8)


def test_groups_of_different_amounts():
    assert count([group(1), group(2)], cards(4, free=2)) == (16, 16)


def test_groups_that_share_some_of_the_devices():
    """A device that only the second can use may be given to the first."""
    providers = [*cards(1, traits=['A']), *cards(15)]
    groups = [group()] * 7 + [group(required=('A',))]

    assert count(groups, providers) == (16**7, 16**7)


def test_groups_of_devices_apart():
    providers = [*cards(4, traits=['A']), *cards(5), *cards(6, name='GPU')]
    groups = [
        group(required=('A',)),
        group(forbidden=('A',)),
        group(name='GPU'),
    ]

    assert count(groups * 2, providers) == ((4 * 5 * 6) ** 2, 0)


def _steps(choices, room, taken=()):
    """Go through the combinations as Placement does that leaves out some."""
    steps = 0
    for number in choices[len(taken)] if len(taken) < len(choices) else ():
        chosen = (*taken, number)
        steps += 1
        if chosen.count(number) <= room[number]:
            steps += _steps(choices, room, chosen)
    return steps


@pytest.mark.parametrize('number', [2, 3, 4])
def test_it_is_never_more(number):
    """Whatever is asked for in whatever order, plain is the most."""
    kinds = [group(), group(required=('A',)), group(required=('B',))]
    providers = [
        *cards(1, traits=['A']),
        *cards(1, traits=['A', 'B']),
        *cards(1, free=2),
    ]
    fitting = {kinds[0]: (0, 1, 2), kinds[1]: (0, 1), kinds[2]: (1,)}
    for groups in itertools.product(kinds, repeat=number):
        plain, pruned = count(groups, providers)
        tried = itertools.product(*(fitting[each] for each in groups))
        assert plain == len(list(tried))
        assert pruned in (0, plain)
        # A step is one group of a combination.
        steps = _steps([fitting[each] for each in groups], (1, 1, 2))
        assert steps <= 2 * plain * number
