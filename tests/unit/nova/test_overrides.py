# SPDX-License-Identifier: Apache-2.0

"""Overriding methods by the names of their arguments."""

import functools
import inspect

import pytest

from nova_cyborg import exception
from nova_cyborg.nova import overrides


def decorated(function):
    @functools.wraps(function)
    def run(self, context, *args, **kwargs):
        return function(self, context, *args, **kwargs)

    return run


class Nova:
    """As one of Nova's classes."""

    @decorated
    def build(self, context, instance, node=None, *, limits=(), **kwargs):
        return context, instance, node, limits, kwargs


class Extended(Nova):
    @overrides.method('context instance', named='limits')
    def build(self, stock):
        stock['node'] = (stock['node'] or 'a') + '1'
        return stock()


class MoreExtended(Extended):
    @overrides.method('context')
    def build(self, stock):
        return ('more', *stock())


@pytest.mark.parametrize(
    ('args', 'kwargs'),
    [
        (('ctx', 'vm', 'b'), {}),
        (('ctx', 'vm'), {'node': 'b'}),
        ((), {'context': 'ctx', 'instance': 'vm', 'node': 'b'}),
    ],
)
def test_arguments_are_known_by_name_however_they_are_given(args, kwargs):
    assert Extended().build(*args, **kwargs) == ('ctx', 'vm', 'b1', (), {})


def test_an_argument_that_is_not_given_has_its_default():
    assert Extended().build('ctx', 'vm') == ('ctx', 'vm', 'a1', (), {})


def test_further_arguments_are_passed_on():
    found = Extended().build('ctx', 'vm', limits=(1,), new_in_nova_99=2)

    assert found == ('ctx', 'vm', 'a1', (1,), {'new_in_nova_99': 2})


def test_what_is_given_by_name_stays_so():
    seen = {}

    class Stock:
        def build(self, context, **kwargs):
            seen.update(kwargs)

    class Ours(Stock):
        @overrides.method('context')
        def build(self, stock):
            return stock()

    Ours().build('ctx', instance='vm')

    assert seen == {'instance': 'vm'}


def test_a_wrapper_of_the_profiler_is_seen_through():
    # As osprofiler puts around each public method of Nova's managers.
    class Traced(Extended):
        @overrides.method('context')
        def build(self, stock):
            return stock()

    Traced.build = decorated(Traced.build)

    assert Traced().build('ctx', 'vm') == ('ctx', 'vm', 'a1', (), {})


def test_an_override_that_was_taken_out_says_so():
    class Taken(Nova):
        @overrides.method('context')
        def build(self, stock):
            return stock()

    build = Taken.build
    Taken.build = Nova.build

    with pytest.raises(AttributeError, match='does not override build'):
        build(Taken(), 'ctx', 'vm')


def test_an_argument_that_must_be_given():
    class Ours(Nova):
        @overrides.method('context instance')
        def build(self, stock):
            return stock['instance']

    with pytest.raises(TypeError, match='build is not given instance'):
        Ours().build('ctx')


def test_an_override_of_an_override():
    assert MoreExtended().build('ctx', 'vm') == (
        *('more', 'ctx', 'vm', 'a1', ()),
        {},
    )


def test_an_unknown_argument_is_an_error():
    class Ours(Nova):
        @overrides.method('context')
        def build(self, stock):
            return stock['nonesuch']

    with pytest.raises(KeyError, match='nonesuch'):
        Ours().build('ctx', 'vm')


def test_no_other_signature_is_pretended():
    assert list(inspect.signature(Extended.build).parameters) == [
        *('self', 'args', 'kwargs')
    ]


def test_a_good_class_is_checked():
    overrides.check(Extended)


@pytest.mark.parametrize(
    ('arguments', 'named', 'complaint'),
    [
        ('context server', '', 'takes'),
        ('context', 'nonesuch', 'takes no nonesuch'),
    ],
)
def test_another_release_is_found(arguments, named, complaint):
    class Ours(Nova):
        @overrides.method(arguments, named)
        def build(self, stock):
            return stock()

    with pytest.raises(
        exception.PluginActivationFailed, match=f'Nova.build {complaint}'
    ):
        overrides.check(Ours)


def test_a_method_that_is_gone_is_found():
    class Ours(Nova):
        @overrides.method('context')
        def rebuild(self, stock):
            return stock()

    with pytest.raises(
        exception.PluginActivationFailed, match='no method rebuild'
    ):
        overrides.check(Ours)
