# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a hint by itself, for nova-api and nova-conductor."""

import uuid

import pytest

from nova_cyborg import conf as our_conf
from nova_cyborg import exception, model

UUIDS = [str(uuid.UUID(int=n)) for n in range(70)]


@pytest.fixture(scope='module')
def request_module():
    # It takes Nova's configuration along.
    from nova import conf

    from nova_cyborg.nova import request

    our_conf.register_nova_opts(conf.CONF)
    return request


def test_uuids_are_spelled_in_one_way(request_module):
    given = [UUIDS[10].upper(), f'{{{UUIDS[11]}}}', uuid.UUID(UUIDS[12]).hex]

    assert request_module.checked_ids(given, 1) == UUIDS[10:13]


@pytest.mark.parametrize('named', ['', 'vm1', None, 7, {}, [], '../devices'])
def test_what_is_no_uuid_is_not_found(request_module, named):
    with pytest.raises(exception.DeviceContextNotFound) as info:
        request_module.checked_ids([UUIDS[0], named], 1)

    assert f'Device context {named} was not found' in str(info.value)


def test_no_more_is_repeated_than_a_person_reads(request_module):
    with pytest.raises(exception.DeviceContextNotFound) as info:
        request_module.checked_ids(['x' * 100_000], 1)

    assert 'x' * 100 in str(info.value)
    assert len(str(info.value)) < 300


def test_a_context_may_be_named_once(request_module):
    with pytest.raises(exception.DeviceContextRepeated, match=UUIDS[10]):
        request_module.checked_ids([UUIDS[10], UUIDS[10].upper()], 1)


def test_a_context_is_for_one_server(request_module):
    with pytest.raises(exception.DeviceContextShared, match='2 servers'):
        request_module.checked_ids(UUIDS[:1], 2)


def test_no_more_are_looked_at_than_can_be(request_module):
    most = model.MAX_CONTEXTS

    assert len(request_module.checked_ids(UUIDS[:most], 1)) == most
    with pytest.raises(exception.TooManyGroups, match='65 request groups'):
        # Whatever they are.
        request_module.checked_ids(['vm1'] * (most + 1), 1)
