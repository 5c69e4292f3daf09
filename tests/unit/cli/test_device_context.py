# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context ...``, through the real shell."""

import json

import pytest

from tests.unit.cli import conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, Cloud, Run

COMMAND = ('accelerator', 'device', 'context')


def test_create(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('POST', status_code=201, json=conftest.context())
    result = openstack(
        *(*COMMAND, 'create', '--name', 'zip', '-f', 'value', '-c', 'uuid'),
        *('--resources=FPGA_GZIP:1', '--requires=SOME_FOO_CAPABILITY'),
        *('--config-data=key1:val1',),
    )
    assert (result.code, result.out) == (0, f'{CONTEXT_ID}\n')
    (request,) = cloud.requests()
    assert request.json() == {
        'name': 'zip',
        'groups': conftest.context()['groups'],
    }


def test_create_that_is_wrong_sends_nothing(
    cloud: Cloud, openstack: Run
) -> None:
    result = openstack(*COMMAND, 'create', '--resources', 'FPGA:0')
    assert result.code == 1
    assert '--resources: FPGA: 0 is not between' in result.err
    assert cloud.requests() == []


def test_show_as_a_table_tells_the_slot(cloud: Cloud, openstack: Run) -> None:
    cloud.answer(
        'GET', f'/device_contexts/{CONTEXT_ID}', json=conftest.bound_context()
    )
    result = openstack(*COMMAND, 'show', CONTEXT_ID)
    assert result.code == 0
    for shown in (
        'bound',
        conftest.SERVER_ID,
        'group 0: PCI 0000:0c:00.1 on compute1 (Bound',
        'group 0: CUSTOM_FPGA_GZIP:1; requires CUSTOM_SOME_FOO_CAPABILITY',
    ):
        assert shown in result.out


def test_show_as_json_has_objects(cloud: Cloud, openstack: Run) -> None:
    context = conftest.bound_context()
    cloud.answer('GET', f'/device_contexts/{CONTEXT_ID}', json=context)
    result = openstack(*COMMAND, 'show', CONTEXT_ID, '-f', 'json')
    shown = json.loads(result.out)
    assert shown == {name: context[name] for name in shown}
    assert set(context) - set(shown) == {'links'}


def test_show_one_that_is_not_there(cloud: Cloud, openstack: Run) -> None:
    cloud.answer(
        'GET',
        f'/device_contexts/{CONTEXT_ID}',
        status_code=404,
        json=conftest.error(404, 'It was not found.'),
    )
    result = openstack(*COMMAND, 'show', CONTEXT_ID)
    assert (result.code, result.out) == (1, '')
    assert result.err == 'It was not found.\n'


def test_list(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('GET', json={'device_contexts': [conftest.bound_context()]})
    result = openstack(*COMMAND, 'list', '--status', 'bound', '-f', 'value')
    assert result.out == (
        f'{CONTEXT_ID} zip bound {conftest.SERVER_ID} compute1\n'
    )
    (request,) = cloud.requests()
    # No more than is shown.
    assert request.qs == {
        'status': ['bound'],
        'fields': ['uuid,name,status,server_id,host'],
    }


@pytest.mark.parametrize(
    ('options', 'query'),
    [
        (['--resource-class', 'fpga_gzip'], {'resource_class': 'fpga_gzip'}),
        (['--trait', 'foo'], {'trait': 'foo'}),
        (['--device-profile', 'gzip'], {'device_profile': 'gzip'}),
        (['--host', 'compute1'], {'host': 'compute1'}),
        (['--created-after', '2026-01-01'], {'created_after': '2026-01-01'}),
        (['--created-before', '2026-01-01'], {'created_before': '2026-01-01'}),
        (['--updated-after', '2026-01-01'], {'updated_after': '2026-01-01'}),
        (['--updated-before', '2026-01-01'], {'updated_before': '2026-01-01'}),
        (
            ['--changes-since', '2026-01-01t00:00:00+01:00'],
            {'changes-since': '2026-01-01t00:00:00+01:00'},
        ),
        (['--tags', 'a,b'], {'tags': 'a,b'}),
        (['--any-tags', 'a,b'], {'tags-any': 'a,b'}),
        (['--not-tags', 'a'], {'not-tags': 'a'}),
        (['--not-any-tags', 'a'], {'not-tags-any': 'a'}),
        (['--sort', 'name:desc,uuid'], {'sort': 'name:desc,uuid'}),
        (['--sort', 'name'], {'sort_key': 'name'}),
    ],
)
def test_list_narrowed(
    cloud: Cloud, openstack: Run, options: list[str], query: dict[str, str]
) -> None:
    cloud.answer('GET', json={'device_contexts': []})

    result = openstack(*COMMAND, 'list', *options)

    assert result.code == 0
    (request,) = cloud.requests()
    sent = dict(request.qs)
    del sent['fields']
    assert sent == {name: [value] for name, value in query.items()}


def test_show_tags(cloud: Cloud, openstack: Run) -> None:
    context = conftest.context(tags=['a', 'b'])
    cloud.answer('GET', f'/device_contexts/{CONTEXT_ID}', json=context)

    shown = openstack(*COMMAND, 'show', CONTEXT_ID, '-c', 'tags')

    assert '| tags  | a, b  |' in shown.out


def test_list_long_as_json(cloud: Cloud, openstack: Run) -> None:
    context = conftest.bound_context()
    cloud.answer('GET', json={'device_contexts': [context]})
    result = openstack(*COMMAND, 'list', '--long', '-f', 'json')
    (row,) = json.loads(result.out)
    assert row['devices'] == context['devices']
    assert row['groups'] == context['groups']
    assert row['delete_on_termination'] is True
    assert row['tag'] is None
    (request,) = cloud.requests()
    (fields,) = request.qs['fields']
    assert fields.split(',') == list(row)


def test_set(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('PATCH', f'/device_contexts/{CONTEXT_ID}', json={})
    result = openstack(
        *(*COMMAND, 'set', CONTEXT_ID, '--name', 'x'),
        *('--delete-on-termination', '--live-migration', 'detach'),
    )
    assert (result.code, result.out) == (0, '')
    (request,) = cloud.requests()
    assert request.json() == {
        'name': 'x',
        'delete_on_termination': True,
        'live_migration': 'detach',
    }


@pytest.mark.parametrize(
    ('options', 'tag'), [(('--tag', 'gzip'), 'gzip'), (('--no-tag',), None)]
)
def test_set_the_tag(
    cloud: Cloud, openstack: Run, options: tuple[str, ...], tag: str | None
) -> None:
    cloud.answer('PATCH', f'/device_contexts/{CONTEXT_ID}', json={})
    result = openstack(*COMMAND, 'set', CONTEXT_ID, *options)
    assert (result.code, result.out) == (0, '')
    (request,) = cloud.requests()
    assert request.json() == {'tag': tag}


def test_set_nothing_is_refused(cloud: Cloud, openstack: Run) -> None:
    result = openstack(*COMMAND, 'set', CONTEXT_ID)
    assert result.code == 1
    assert 'Nothing to change' in result.err
    assert cloud.requests() == []


def test_delete_goes_on_after_a_failure(cloud: Cloud, openstack: Run) -> None:
    cloud.answer(
        'DELETE',
        f'/device_contexts/{CONTEXT_ID}',
        status_code=409,
        json=conftest.error(409, 'It is in use.'),
    )
    cloud.answer('DELETE', f'/device_contexts/{OTHER_ID}', status_code=204)
    result = openstack(*COMMAND, 'delete', CONTEXT_ID, OTHER_ID)
    assert result.code == 1
    assert f'{CONTEXT_ID}: It is in use.' in result.err
    assert '1 of 2 device contexts failed to delete.' in result.err
    assert len(cloud.requests()) == 2


@pytest.mark.parametrize('mount', ['', '/accelerator'])
def test_an_endpoint_without_a_version(
    cloud: Cloud, openstack: Run, mount: str
) -> None:
    url = f'http://cyborg.test:6666{mount}'
    cloud.login({'accelerator': url})
    link = 'http://cyborg.test:6666/accelerator/v2'
    version = {
        'id': 'v2',
        'status': 'CURRENT',
        'min_version': '2.0',
        'max_version': '2.3',
        'links': [{'rel': 'self', 'href': link}],
    }
    cloud.mock.get(f'{url}/', json={'versions': [version]})
    cloud.mock.get(url, json={'versions': [version]})
    cloud.mock.get(f'{url}/device_contexts', json={'device_contexts': []})
    result = openstack(*COMMAND, 'list', '-f', 'json')
    assert (result.code, result.out.strip()) == (0, '[]')


def test_a_cloud_without_cyborg(cloud: Cloud, openstack: Run) -> None:
    cloud.login({'compute': conftest.NOVA})
    result = openstack(*COMMAND, 'list')
    assert result.code == 1
    assert 'This cloud has no Accelerator service (Cyborg)' in result.err


def test_help_has_examples(cloud: Cloud, openstack: Run) -> None:
    result = openstack('help', *COMMAND, 'create')
    assert result.code == 0
    assert (
        ' accelerator device context create \\\n'
        '    --resources FPGA_GZIP:1 --requires SOME_FOO'
    ) in result.out


@pytest.mark.parametrize('verb', ['list', 'show', 'set', 'delete'])
def test_help_of_others_has_an_example(
    cloud: Cloud, openstack: Run, verb: str
) -> None:
    result = openstack('help', *COMMAND, verb)
    assert 'device context' in result.out.partition('xample')[2]


def test_show_names_each_binding(cloud: Cloud, openstack: Run) -> None:
    context = conftest.bound_context()
    context['bindings'].append(
        {'host': 'compute2', 'state': 'inactive', 'devices': []}
    )
    cloud.answer('GET', f'/device_contexts/{CONTEXT_ID}', json=context)
    result = openstack(*COMMAND, 'show', CONTEXT_ID)
    assert 'active on compute1' in result.out
    assert 'inactive on compute2' in result.out
