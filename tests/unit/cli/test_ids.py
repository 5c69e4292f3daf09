# SPDX-License-Identifier: Apache-2.0

"""The UUIDs of device contexts that users type."""

import pytest

from nova_cyborg import exception
from nova_cyborg.cli import ids
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID


@pytest.mark.parametrize(
    'text', [CONTEXT_ID, CONTEXT_ID.upper(), CONTEXT_ID.replace('-', '')]
)
def test_forms_of_one_uuid_are_one(text: str) -> None:
    assert ids.canonical(text) == CONTEXT_ID


@pytest.mark.parametrize('text', ['', 'zip', f'{CONTEXT_ID}0', '../devices'])
def test_what_is_no_uuid_is_not_found(text: str) -> None:
    with pytest.raises(exception.DeviceContextNotFound, match='was not found'):
        ids.canonical(text)


def test_order_is_kept_for_one_server() -> None:
    given = [OTHER_ID, CONTEXT_ID]
    assert ids.for_one_server(given, count=1) == given


def test_a_comma_separates() -> None:
    given = [f' {OTHER_ID} ,{CONTEXT_ID}']
    assert ids.for_one_server(given, count=1) == [OTHER_ID, CONTEXT_ID]


@pytest.mark.parametrize('text', ['', f'{CONTEXT_ID},', f',{CONTEXT_ID}'])
def test_nothing_at_the_side_of_a_comma_is_refused(text: str) -> None:
    with pytest.raises(exception.InvalidRequest, match='comma'):
        ids.for_one_server([text], count=1)


def test_repeated_in_another_form_is_refused() -> None:
    with pytest.raises(exception.DeviceContextRepeated, match=CONTEXT_ID):
        ids.for_one_server([CONTEXT_ID, CONTEXT_ID.upper()], count=1)


def test_shared_by_servers_is_refused() -> None:
    with pytest.raises(exception.DeviceContextShared, match='3 servers'):
        ids.for_one_server([CONTEXT_ID], count=3)


def test_many_servers_without_device_contexts_are_fine() -> None:
    assert ids.for_one_server([], count=3) == []
