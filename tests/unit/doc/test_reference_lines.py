# SPDX-License-Identifier: Apache-2.0

"""The reference of the API has all that its document has."""

import pathlib
import re

import pytest
import reference_lines

from nova_cyborg.api.document import nouns

PAGE = (
    pathlib.Path(__file__).parents[3]
    / 'doc'
    / 'source'
    / 'reference'
    / 'api.rst'
).read_text()
OPERATIONS = list(nouns.operations())


def test_each_operation_is_in_the_reference_once():
    named = re.findall(r'^\.\. api-operation:: (\w+)$', PAGE, re.MULTILINE)

    assert sorted(named) == sorted(each.name for each in OPERATIONS)


@pytest.mark.parametrize(
    'operation', OPERATIONS, ids=[each.name for each in OPERATIONS]
)
def test_what_is_said_of_an_operation(operation):
    text = '\n'.join(reference_lines.operation_lines(operation.name))

    assert f'``{operation.method} {operation.path}``' in text
    for policy in operation.policies:
        assert f'``{policy}``' in text
    for answer in operation.answers:
        assert f'* - {answer.status}\n     - {answer.description}' in text
    for error in operation.errors:
        assert f'`{error.error_code} <error-{error.__name__}>`' in text
    for name in (*operation.query['properties'], *operation.headers):
        assert f'* - ``{name}``' in text


def test_what_must_be_sent_is_said():
    text = '\n'.join(reference_lines.operation_lines('detach_device_context'))

    assert '* - ``device_context``\n     - string, needed\n' in text
    assert '* - ``caller``\n     - string, needed\n' in text


def test_bounds_and_formats_are_said():
    text = '\n'.join(reference_lines.object_lines('NewDeviceContext'))

    assert '1 to 255 characters.' in text
    assert '1 to 16 items.' in text
    assert 'A text of printable characters, with no space' in text
    assert '- list of :ref:`RequestedGroup <api-object-requestedgroup>`' in (
        text
    )


def test_fields_of_answers_are_not_needed():
    text = '\n'.join(reference_lines.object_lines('DeviceContext'))

    assert 'needed' not in text
    assert '* - ``name``\n     - string or null\n' in text


@pytest.mark.parametrize(
    'lines', [reference_lines.operation_lines, reference_lines.object_lines]
)
def test_a_name_that_there_is_not(lines):
    with pytest.raises(KeyError, match='nonesuch'):
        lines('nonesuch')


def test_what_any_request_may_be_refused_with():
    text = '\n'.join(reference_lines.refusal_lines())

    assert ':ref:`nova_cyborg.forbidden <error-Forbidden>`' in text
