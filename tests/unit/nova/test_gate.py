# SPDX-License-Identifier: Apache-2.0

"""What is beneath Nova's refusals."""

import functools

import pytest
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import api
from oslo_utils import uuidutils

from nova_cyborg.nova.api import gate

NAMES = ('resize', 'live_migrate', 'suspend')


@pytest.fixture(autouse=True)
def anew():
    objects.register_all()
    gate.functions.cache_clear()
    yield
    gate.functions.cache_clear()


@pytest.fixture
def locked_server():
    return objects.Instance(
        uuid=uuidutils.generate_uuid(),
        locked=True,
        system_metadata={},
        image_ref='',
        flavor=objects.Flavor(
            extra_specs={'accel:device_profile': 'device-context'}
        ),
    )


@pytest.mark.parametrize('name', NAMES)
def test_it_is_found_in_this_release_of_nova(name, locked_server):
    user = nova_context.RequestContext('user', 'project', is_admin=False)

    found = gate.functions()[name]

    assert found is not None
    # What decorates further in is not skipped: the lock is looked at first.
    with pytest.raises(nova_exception.InstanceIsLocked):
        found(object(), user, locked_server)


def _decorated(function):
    @functools.wraps(function)
    def run(*args):
        return function(*args)

    return run


def test_what_decorates_outside_is_passed(monkeypatch):
    def suspend(self, context, instance):
        return 'suspended'

    refused = _decorated(api.block_accelerators()(_decorated(suspend)))
    monkeypatch.setattr(api.API, 'suspend', refused)

    assert gate.functions()['suspend'](None, None, None) == 'suspended'


def test_where_nothing_refuses_none_is_found(monkeypatch, caplog):
    monkeypatch.setattr(api.API, 'suspend', _decorated(_decorated))

    found = gate.functions()

    assert found['suspend'] is None
    assert found['resize'] is not None
    assert 'The refusal of suspend to servers' in caplog.text
    assert 'resize' not in caplog.text


@pytest.mark.parametrize('decorator', [None, lambda function: function])
def test_another_decorator_is_not_taken_for_it(monkeypatch, decorator):
    monkeypatch.setattr(api, 'block_accelerators', decorator)

    assert gate.functions() == dict.fromkeys(NAMES)
