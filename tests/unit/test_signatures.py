# SPDX-License-Identifier: Apache-2.0

"""The check that a class has the methods that are built upon."""

import pytest

from nova_cyborg import exception, signatures


class Manager:
    def build(self, context, instances, image=None, *, host=None):
        pass

    @staticmethod
    def start(context):
        pass


class Derived(Manager):
    pass


@pytest.mark.parametrize('owner', [Manager, Derived])
@pytest.mark.parametrize(
    'arguments', ['', 'context', 'context instances image']
)
def test_more_arguments_are_no_harm(owner, arguments):
    signatures.check(owner, {'build': arguments})


@pytest.mark.parametrize(
    'arguments', ['instances', 'instances context', 'context servers']
)
def test_another_signature_is_refused(arguments):
    with pytest.raises(exception.PluginActivationFailed) as info:
        signatures.check(Manager, {'build': arguments})

    sentence = str(info.value)
    assert f'{__name__}.Manager.build takes (self, context' in sentence
    assert ', '.join(['self', *arguments.split()]) in sentence
    assert 'not supported' in sentence


def test_a_method_that_is_missing_is_named():
    with pytest.raises(
        exception.PluginActivationFailed, match='has no method nonesuch'
    ):
        signatures.check(Manager, {'build': 'context', 'nonesuch': ''})


@pytest.mark.parametrize('arguments', ['', 'host', 'host context'])
def test_arguments_may_stand_anywhere(arguments):
    signatures.check_named(Derived, {'build': arguments})


def test_an_argument_that_is_missing_is_named():
    with pytest.raises(exception.PluginActivationFailed) as info:
        signatures.check_named(Manager, {'build': 'host nodes zone'})

    assert 'Manager.build takes no nodes, zone.' in str(info.value)


def test_a_method_that_is_missing_is_named_here_too():
    with pytest.raises(
        exception.PluginActivationFailed, match='has no method nonesuch'
    ):
        signatures.check_named(Manager, {'nonesuch': ''})


def test_a_method_without_self_is_refused():
    with pytest.raises(exception.PluginActivationFailed, match='start'):
        signatures.check(Manager, {'start': 'context'})
