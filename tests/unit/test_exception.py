# SPDX-License-Identifier: Apache-2.0

"""Exceptions: sentences, codes, and what Nova makes of them."""

import re

import pytest
from nova.compute import utils as compute_utils

from nova_cyborg import exception

CLASSES = list(exception.all_errors())
all_classes = pytest.mark.parametrize(
    'cls', CLASSES, ids=lambda cls: cls.__name__
)


def arguments(cls):
    """Return a value for each name in the class's sentence."""
    return {
        name: 7 if kind == 'd' else name
        for name, kind in re.findall(r'%\((\w+)\)([sd])', cls.message)
    }


@all_classes
def test_the_sentence_is_filled_in(cls):
    values = arguments(cls)

    sentence = str(cls(**values))

    assert '%' not in sentence
    for value in values.values():
        assert str(value) in sentence


@pytest.mark.parametrize(
    ('given', 'shown'),
    [
        ('x' * 128, 'x' * 128),
        ('x' * 129, 'x' * 125 + '...'),
        # Each is three bytes, and none is cut in the middle.
        ('\u6f22' * 42, '\u6f22' * 42),
        ('\u6f22' * 43, '\u6f22' * 41 + '...'),
        ('\ud800', '\ud800'),
        ('\ud800' * 43, '...'),
        (['a'], "['a']"),
    ],
)
def test_the_beginning_of_what_is_long_is_shown(given, shown):
    assert exception.shown(given) == shown


@all_classes
def test_what_a_sentence_repeats_is_short(cls):
    # What we say, and not who asks.
    words = {'allowed', 'known', 'reason', 'slots'}
    values = {
        name: value if value == 7 or name in words else '\U0001f600' * 10_000
        for name, value in arguments(cls).items()
    }

    assert len(str(cls(**values)).encode()) < 1000


def test_a_name_that_is_not_given_is_an_error():
    with pytest.raises(KeyError):
        exception.DeviceContextNotFound()


@all_classes
def test_a_code_stands_for_one_class(cls):
    assert exception.by_error_code(cls.error_code) is cls
    assert re.fullmatch(r'nova_cyborg\.[a-z_]+(\.[a-z_]+)?', cls.error_code)


def test_codes_are_unique():
    classes = [exception.DeviceContextError, *CLASSES]

    assert len({cls.error_code for cls in classes}) == len(classes)


def test_a_code_of_a_class_of_a_class():
    class MoreBound(exception.StillBound):
        error_code = 'nova_cyborg.more_bound'

    assert exception.by_error_code(MoreBound.error_code) is MoreBound
    # That of the base class stands for the base class.
    assert exception.by_error_code(exception.StillBound.error_code) is (
        exception.StillBound
    )


@pytest.mark.parametrize('code', ['', 'cyborg.error', 'nova_cyborg.none'])
def test_other_codes_are_not_ours(code):
    assert exception.by_error_code(code) is None


@all_classes
def test_it_is_made_again_from_the_sentence_an_api_answered(cls):
    error = cls.from_detail('100 % of all slots are taken')

    assert type(error) is cls
    assert str(error) == error.format_message()
    assert str(error) == '100 % of all slots are taken'
    assert error.code == cls.status


@all_classes
@pytest.mark.parametrize('again', [False, True])
def test_nova_records_sentence_and_code_as_the_servers_fault(cls, again):
    error = cls(**arguments(cls))
    if again:
        error = cls.from_detail(str(error))

    fault = compute_utils.exception_to_dict(error)

    assert fault['message'] == str(error)[:255]
    assert fault['code'] == cls.status


NOT_GIVEN = exception.DeviceNotGiven(
    host='compute1', slot='0000:0c:00.1', reason='vfio: (it) is in use'
)


@pytest.mark.parametrize('before', ['', 'Exceeded (3) retries. Why: '])
@pytest.mark.parametrize('after', ['', ' Sorry.'])
def test_a_device_not_given_is_found_in_a_fault(before, after):
    found = exception.find_device_not_given(f'{before}{NOT_GIVEN}{after}')

    assert found.device == 'compute1/0000:0c:00.1'
    assert found.sentence == (
        'The device cannot be given to a guest: vfio: (it) is in use' + after
    )


def test_a_device_not_given_of_which_all_the_rest_is_cut_off():
    fault = str(NOT_GIVEN)[: str(NOT_GIVEN).index(')') + 1]

    assert exception.find_device_not_given(fault) == (
        exception.NotGiven('compute1/0000:0c:00.1', '')
    )


@pytest.mark.parametrize(
    'fault',
    [
        '',
        'No valid host was found.',
        '(nova_cyborg.device_not_given',
        '(nova_cyborg.device_not_given compute1/0000:0c',
        '(nova_cyborg.still_bound x) The device cannot be given.',
    ],
)
def test_other_faults_name_no_device(fault):
    assert exception.find_device_not_given(fault) is None


def test_the_default_says_nothing_of_the_cause():
    error = exception.DeviceContextError()

    assert (error.status, error.error_code) == (
        500,
        'nova_cyborg.internal_error',
    )
