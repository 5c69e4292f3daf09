# SPDX-License-Identifier: Apache-2.0

"""The document has what there is, and nothing else; each word is defined."""

import re

import pytest

from nova_cyborg import exception
from nova_cyborg.api import policies, routes
from nova_cyborg.api.document import building, nouns

DOCUMENT = building.document()
OPERATIONS = list(nouns.operations())
every_operation = pytest.mark.parametrize(
    'operation', OPERATIONS, ids=[each.name for each in OPERATIONS]
)


def documented():
    """Return the methods of each path, in the form of the routes."""
    found = {}
    for path, methods in DOCUMENT['paths'].items():
        parts = path.removeprefix('/v2/').split('/')
        known = tuple(
            '{}' if part.startswith('{') and part != '{tag}' else part
            for part in parts
        )
        found[known] = {method.upper() for method in methods}
    return found


def operations():
    """Return each operation of the document, with its method and path."""
    return [
        (method, path, operation)
        for path, methods in DOCUMENT['paths'].items()
        for method, operation in methods.items()
    ]


def resolved(item):
    while '$ref' in item:
        found = DOCUMENT
        for part in item['$ref'].removeprefix('#/').split('/'):
            found = found[part]
        item = found
    return item


def fields(schema, where):
    """Go through the fields of a schema, with where they are."""
    if '$ref' in schema:
        # What is beside it says which values there are here.
        return
    for name, field in schema.get('properties', {}).items():
        yield f'{where}.{name}', field
        yield from fields(field, f'{where}.{name}')
    for each in schema.get('oneOf', ()):
        yield from fields(each, where)
    for key in ('items', 'additionalProperties'):
        if isinstance(schema.get(key), dict):
            yield from fields(schema[key], f'{where}[]')


def every_schema():
    yield from DOCUMENT['components']['schemas'].items()
    for method, path, operation in operations():
        contents = [operation.get('requestBody', {})]
        contents += map(resolved, operation['responses'].values())
        for each in contents:
            for content in each.get('content', {}).values():
                yield f'{method} {path}', content['schema']


def test_each_route_is_documented_and_nothing_else():
    assert documented() == routes.routes()


def test_each_policy_is_documented_where_it_is_looked_at():
    by_rule = {
        (rule.name, operation['method'], operation['path'].partition('?')[0])
        for rule in policies.list_policies()
        for operation in rule.operations
    }

    assert by_rule == {
        (policy, operation.method, operation.path)
        for operation in OPERATIONS
        for policy in operation.policies
    }


@every_operation
def test_its_policies_are_named(operation):
    written = DOCUMENT['paths'][operation.path][operation.method.lower()]

    for policy in operation.policies:
        assert f'`{policy}`' in written['description']


def test_names_are_there_once():
    names = [each['operationId'] for _method, _path, each in operations()]

    assert len(names) == len(set(names))


def test_tags_are_those_that_are_described():
    named = {tag for _m, _p, each in operations() for tag in each['tags']}

    assert named == {each['name'] for each in DOCUMENT['tags']}


def test_each_field_has_a_meaning():
    assert not [
        where
        for name, schema in every_schema()
        for where, field in fields(schema, name)
        if not resolved(field).get('description')
        and not field.get('description')
    ]


def test_each_parameter_and_header_has_a_meaning():
    for _method, _path, operation in operations():
        for parameter in operation['parameters']:
            assert parameter['description']
        for response in operation['responses'].values():
            assert resolved(response)['description']
    assert all(
        each['description']
        for each in DOCUMENT['components']['headers'].values()
    )


def test_references_lead_somewhere():
    found = re.findall(r'"\$ref": "#/([^"]+)"', building.text().decode())

    assert found
    for reference in set(found):
        resolved({'$ref': f'#/{reference}'})


def test_links_lead_to_operations_that_take_them():
    by_name = {each['operationId']: each for _m, _p, each in operations()}
    links = [
        link
        for _method, _path, operation in operations()
        for response in operation['responses'].values()
        for link in response.get('links', {}).values()
    ]

    assert links
    for link in links:
        parameters = by_name[link['operationId']]['parameters']
        names = {each['name'] for each in parameters if each['in'] == 'path'}
        assert set(link['parameters']) <= names


@every_operation
def test_what_it_may_be_refused_with(operation):
    written = DOCUMENT['paths'][operation.path][operation.method.lower()]
    assert exception.InvalidRequest in operation.refusals

    for cls in operation.refusals:
        response = resolved(written['responses'][str(cls.status)])
        assert f'`{cls.error_code}`: ' in response['description']
        schema = response['content']['application/json']['schema']
        codes = schema['properties']['errors']['items']['properties']['code']
        assert cls.error_code in codes['enum']


def test_what_if_match_may_say_is_read_at_the_same_path():
    found = set()
    for path, methods in DOCUMENT['paths'].items():
        named = {
            parameter['name']
            for operation in methods.values()
            for parameter in operation['parameters']
        }
        if 'If-Match' in named:
            found.add(path)
            for status, answer in methods['get']['responses'].items():
                assert (
                    not status.startswith('2') or 'ETag' in answer['headers']
                )

    assert len(found) == 3


def test_head_is_get_without_a_body():
    for methods in DOCUMENT['paths'].values():
        assert ('head' in methods) == ('get' in methods)
        found = methods.get('head', {}).get('responses', {})
        assert (
            found.keys()
            == methods.get('get', {'responses': {}})['responses'].keys()
        )
        for response in found.values():
            assert '$ref' in response or 'content' not in response


def test_a_service_token_is_needed_where_that_is_said():
    for _method, path, operation in operations():
        (tokens,) = operation['security']
        assert ('service_token' in tokens) == (
            path.startswith('/v2/device_allocations')
        )


def test_formats_and_patterns_are_such_as_others_know():
    text = building.text().decode()

    assert r'\\Z' not in text
    assert not re.search(r'"format": "[^"]* ', text)


def test_the_digest_is_of_the_text():
    assert re.fullmatch('[0-9a-f]{32}', building.digest())
    assert building.text() is building.text()
