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
    assert ids.canonical(text) is None
    with pytest.raises(exception.DeviceNotFound, match='was not found'):
        ids.required(text, exception.DeviceNotFound)


@pytest.mark.parametrize('text', ['zip', 'Größe 漢字', 'a/b?c', 'x' * 255])
def test_what_may_be_a_name(text: str) -> None:
    assert ids.may_be_name(text)


@pytest.mark.parametrize(
    'text', ['', ' zip', 'zip ', 'x' * 256, 'a\x1b[31m', 'a\n', 'a\udcff']
)
def test_what_is_no_name_of_any(text: str) -> None:
    assert not ids.may_be_name(text)


def find(text: str) -> str:
    """Find one that is called zip, and otherwise what is a UUID."""
    return CONTEXT_ID if text == 'zip' else str(ids.canonical(text))


def test_order_is_kept_for_one_server() -> None:
    given = [OTHER_ID, CONTEXT_ID]
    assert ids.for_one_server(given, count=1, find=find) == given


def test_a_comma_separates() -> None:
    given = [f' {OTHER_ID} ,{CONTEXT_ID}']
    assert ids.for_one_server(given, count=1, find=find) == [
        OTHER_ID,
        CONTEXT_ID,
    ]


@pytest.mark.parametrize('text', ['', f'{CONTEXT_ID},', f',{CONTEXT_ID}'])
def test_nothing_at_the_side_of_a_comma_is_refused(text: str) -> None:
    with pytest.raises(exception.InvalidRequest, match='comma'):
        ids.for_one_server([text], count=1, find=find)


def test_repeated_in_another_form_is_refused() -> None:
    with pytest.raises(exception.DeviceContextRepeated, match=CONTEXT_ID):
        ids.for_one_server(
            [CONTEXT_ID, CONTEXT_ID.upper()], count=1, find=find
        )


def test_repeated_by_name_is_refused() -> None:
    with pytest.raises(exception.DeviceContextRepeated, match=CONTEXT_ID):
        ids.for_one_server([f'zip,{CONTEXT_ID}'], count=1, find=find)


def test_names_and_uuids_may_be_mixed() -> None:
    given = [OTHER_ID, 'zip']
    found = ids.for_one_server(given, count=1, find=find)
    assert found == [OTHER_ID, CONTEXT_ID]


def test_shared_by_servers_is_refused() -> None:
    with pytest.raises(exception.DeviceContextShared, match='3 servers'):
        ids.for_one_server([CONTEXT_ID], count=3, find=find)


def test_many_servers_without_device_contexts_are_fine() -> None:
    assert ids.for_one_server([], count=3, find=find) == []
