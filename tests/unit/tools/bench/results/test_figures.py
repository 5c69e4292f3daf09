# SPDX-License-Identifier: Apache-2.0

import dataclasses

import pytest

from tools.bench.results import figures, results


def by_name(found):
    return {each.name: each for each in figures.of(found)}


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('accelerator part of a boot, 10,000 bound against 10', 1.1),
        ('the same against stock, at 1,000', 0.01),
        ('the same against stock, at 10', 0.5),
        ('accelerator part of a delete, 10,000 bound against 10', 1.1),
        ('32 clients against stock, at 10', 1.5),
        ('bind of one PCI device: statements', 11),
        ('bind of one PCI device: messages', 0),
        (
            'accelerator part of a boot with 16 device contexts, against one',
            2,
        ),
        (
            'boot without accelerators: more statements, messages and calls '
            'of Cyborg with the plugin',
            0,
        ),
        # It is faster with it.
        (
            'boot without accelerators: time more with the plugin, in spreads',
            0,
        ),
    ],
)
def test_what_was_measured(found, name, value):
    assert by_name(found)[name].value == pytest.approx(value)


def test_what_was_not_measured_is_told_and_fails_nothing(found):
    figure = by_name(found)['32 clients against stock, at 1,000']

    assert figure.value is None
    assert figure.holds is None
    assert figures.as_words(figure)[1:] == ('-', '≥ 20', 'not measured')
    assert figures.all_hold([figure])


def test_of_nothing_nothing_is_measured():
    nothing = results.Results({}, {}, [], [], [], [], [])

    assert {each.holds for each in figures.of(nothing)} == {None}


@pytest.mark.parametrize(
    ('value', 'at_least', 'holds'),
    [
        (1.2, False, True),
        (1.21, False, False),
        (1.2, True, True),
        (1.19, True, False),
    ],
)
def test_a_bound(value, at_least, holds):
    figure = figures.Figure('any', value, 1.2, at_least)

    assert figure.holds is holds
    assert figures.all_hold([figure]) is holds


def test_one_message_more_for_a_server_without_accelerators(found):
    found.operations[-2] = dataclasses.replace(
        found.operations[-2], counts={'messages': 4}
    )
    name = (
        'boot without accelerators: more statements, messages and calls of '
        'Cyborg with the plugin'
    )

    assert by_name(found)[name].holds is False


@pytest.mark.parametrize(
    ('value', 'words'),
    [(12, '12'), (0.0123456, '0.0123'), (1234.5, '1,234'), (20.0, '20')],
)
def test_numbers_are_read_by_people(value, words):
    assert figures.number(value) == words
