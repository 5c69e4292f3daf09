# SPDX-License-Identifier: Apache-2.0

"""The reference of the API, written from what its document is made of.

Without Sphinx: :mod:`api_reference` makes nodes of these lines.
"""

import collections.abc

from nova_cyborg.api.document import headers, nouns, refusing
from nova_cyborg.api.document import operations as declared

_WORDS = {'array': 'list'}
# What a schema says besides the type, in the order in which it is told.
_BOUNDS = (
    ('minimum', 'maximum', ''),
    ('minLength', 'maxLength', ' characters'),
    ('minItems', 'maxItems', ' items'),
    ('minProperties', 'maxProperties', ' fields'),
)

_Lines = collections.abc.Iterator[str]
_Schema = declared.Schema


def operation_lines(name: str) -> list[str]:
    """Write what is to be known of an operation.

    :param name: its name in the document.
    :returns: lines of reStructuredText.
    :raises KeyError: if there is none of that name.
    """
    operation = {each.name: each for each in nouns.operations()}[name]
    return list(_operation(operation))


def object_lines(title: str) -> list[str]:
    """Write which fields an object has.

    :param title: the title of its schema.
    :returns: lines of reStructuredText.
    :raises KeyError: if no schema has that title.
    """
    asked = dict(_titled(each.body for each in nouns.operations()))
    schema = asked.get(title) or dict(_titled(_answered_with()))[title]
    return [
        f'.. _{_label(title)}:',
        '',
        # What a link is to.
        f'.. rubric:: {title}',
        '',
        schema.get('description', ''),
        '',
        *_fields(schema, title in asked),
    ]


def refusal_lines() -> list[str]:
    """Write what any request may be refused with.

    :returns: lines of reStructuredText.
    """
    return list(_statuses((), declared.OF_ALL))


def _operation(operation: declared.Operation) -> _Lines:
    yield f'.. _api-operation-{operation.name}:'
    yield ''
    yield f'``{operation.method} {operation.path}``'
    yield ''
    yield f'{operation.summary}. {operation.description}'
    yield ''
    word = 'Policies' if len(operation.policies) > 1 else 'Policy'
    yield f'{word}: {", ".join(f"``{name}``" for name in operation.policies)}.'
    yield ''
    yield from _parameters(operation)
    if operation.body is not None:
        yield from _body('Body', operation.body, True)
    of_all = refusing.by_status(declared.OF_ALL)
    own = {
        cls: when
        for status, found in refusing.by_status(operation.refusals).items()
        if found != of_all.get(status)
        for cls, when in found.items()
        if cls not in declared.OF_ALL or cls in operation.errors
    }
    yield from _statuses(operation.answers, own)
    for answer in operation.answers:
        if answer.schema is not None:
            yield from _body(f'{answer.status}', answer.schema, False)


def _parameters(operation: declared.Operation) -> _Lines:
    rows = [
        (f'``{name}``', _kind(schema), _meaning(schema))
        for name, schema in operation.query['properties'].items()
    ]
    if rows:
        yield from _table(('Parameter', 'Type', 'Meaning'), rows)
    rows = [
        (f'``{name}``', 'header', headers.ASKED[name]['description'])
        for name in operation.headers
    ]
    if rows:
        yield from _table(('Header', 'Type', 'Meaning'), rows)


def _body(word: str, schema: _Schema, asked: bool) -> _Lines:
    forms = [schema]
    if 'properties' not in schema and 'oneOf' in schema:
        forms = schema['oneOf']
    for form in forms:
        if 'title' in form:
            yield f'{word}: {_link(form["title"])}.'
            yield ''
        elif form.get('properties'):
            yield f'{word}:'
            yield ''
            yield from _fields(form, asked)


def _statuses(
    answers: collections.abc.Iterable[declared.Answer],
    errors: declared.Errors,
) -> _Lines:
    rows = [(str(answer.status), _answered(answer)) for answer in answers]
    for status, found in refusing.by_status(errors).items():
        said = [
            f':ref:`{cls.error_code} <error-{cls.__name__}>`'
            + (f': {when}' if when else '')
            for cls, when in found.items()
        ]
        rows.append((str(status), f'{"; ".join(said)}.'))
    if rows:
        yield from _table(('Status', 'Meaning'), rows)


def _answered(answer: declared.Answer) -> str:
    names = (*answer.headers, *answer.maybe)
    if not names:
        return answer.description
    words = ' and '.join(f'``{name}``' for name in names)
    return f'{answer.description} Headers: {words}.'


def _fields(schema: _Schema, asked: bool) -> _Lines:
    rows: list[tuple[str, str, str]] = []
    for form in schema.get('oneOf', ()) or (schema,):
        whole = form if 'properties' in form else schema
        rows += _rows(whole, asked)
    unique = list(dict.fromkeys(rows))
    yield from _table(('Field', 'Type', 'Meaning'), unique)


def _rows(
    schema: _Schema, asked: bool, prefix: str = ''
) -> collections.abc.Iterator[tuple[str, str, str]]:
    for name, field in schema['properties'].items():
        needed = asked and name in schema.get('required', ())
        kind = f'{_kind(field)}, needed' if needed else _kind(field)
        yield f'``{prefix}{name}``', kind, _meaning(field)
        nested = field.get('items', field)
        if 'title' not in nested and nested.get('properties'):
            yield from _rows(nested, asked, f'{prefix}{name}.')


def _kind(schema: _Schema) -> str:
    if 'title' in schema:
        return _link(schema['title'])
    if 'enum' in schema:
        return 'string'
    if 'oneOf' in schema:
        return ' or '.join(_kind(each) for each in schema['oneOf'])
    kinds = schema.get('type', 'object')
    kinds = kinds if isinstance(kinds, list) else [kinds]
    words = ' or '.join(_WORDS.get(kind, kind) for kind in kinds)
    if 'items' in schema:
        return f'{words} of {_kind(schema["items"])}'
    return words


def _meaning(schema: _Schema) -> str:
    said = [schema.get('description', '')]
    for low, high, unit in _BOUNDS:
        least, most = schema.get(low), schema.get(high)
        if least and most is not None:
            said.append(f'{least} to {most}{unit}.')
        elif most is not None:
            said.append(f'At most {most}{unit}.')
    if 'enum' in schema and '``' not in said[0]:
        words = ', '.join(f'``{each}``' for each in schema['enum'])
        said.append(f'One of {words}.')
    if ' ' in schema.get('format', ''):
        said.append(f'A {schema["format"]}.')
    return ' '.join(filter(None, said))


def _table(
    head: tuple[str, ...], rows: collections.abc.Iterable[tuple[str, ...]]
) -> _Lines:
    widths = {2: '10 90', 3: '28 20 52'}[len(head)]
    yield '.. list-table::'
    yield '   :header-rows: 1'
    yield f'   :widths: {widths}'
    yield ''
    for row in (head, *rows):
        for number, cell in enumerate(row):
            yield f'   {"  " if number else "* "}- {cell}'
    yield ''


def _label(title: str) -> str:
    return f'api-object-{title.lower()}'


def _link(title: str) -> str:
    return f':ref:`{title} <{_label(title)}>`'


def _answered_with() -> collections.abc.Iterator[_Schema | None]:
    for operation in nouns.operations():
        for answer in operation.answers:
            yield answer.schema


def _titled(
    schemas: collections.abc.Iterable[_Schema | None],
) -> collections.abc.Iterator[tuple[str, _Schema]]:
    """Go through what has a title in schemas."""
    left: list[object] = list(schemas)
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if isinstance(item.get('title'), str):
                yield item['title'], item
            left += item.values()
        elif isinstance(item, list):
            left += item
