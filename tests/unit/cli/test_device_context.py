# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context ...``, through the real shell."""

import json

import pytest

from tests.unit.cli import attachments, conftest
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


def test_show_by_name(cloud: Cloud, openstack: Run) -> None:
    cloud.named('zip', CONTEXT_ID)
    cloud.answer(
        'GET', f'/device_contexts/{CONTEXT_ID}', json=conftest.context()
    )
    result = openstack(*COMMAND, 'show', 'zip', '-f', 'value', '-c', 'uuid')
    assert (result.code, result.out) == (0, f'{CONTEXT_ID}\n')
    assert len(cloud.requests()) == 2


@pytest.mark.parametrize('verb', ['show', 'set', 'unset', 'delete'])
def test_two_of_one_name_are_listed(
    cloud: Cloud, openstack: Run, verb: str
) -> None:
    cloud.named('zip', CONTEXT_ID, OTHER_ID)
    options = ['--name'] if verb == 'unset' else []
    options += ['--name', 'x'] if verb == 'set' else []
    result = openstack(*COMMAND, verb, 'zip', *options)
    assert result == conftest.Result(
        1,
        '',
        f'Several device contexts have the name "zip": {CONTEXT_ID}, '
        f'{OTHER_ID}. Say the UUID of the one that is meant.\n',
    )


@pytest.mark.parametrize('verb', ['show', 'delete'])
def test_what_would_move_the_cursor_is_not_printed(
    cloud: Cloud, openstack: Run, verb: str
) -> None:
    result = openstack(*COMMAND, verb, 'a\x1b[2Jb\rc')
    assert result.code == 1
    assert r'Device context a\x1b[2Jb\rc was not found' in result.err
    assert '\x1b' not in result.err


def test_nor_is_it_when_several_are_deleted(
    cloud: Cloud, openstack: Run
) -> None:
    result = openstack(*COMMAND, 'delete', '\x1b[2J', '\u202e')
    assert result.code == 1
    assert r'Failed to delete device context \x1b[2J: ' in result.err
    assert r'Failed to delete device context \u202e: ' in result.err
    assert '\x1b' not in result.err


def test_show_waits(
    cloud: Cloud, openstack: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = attachments.no_sleep(monkeypatch)
    attachments.statuses(
        cloud, *({'status': each} for each in ('reserved', 'binding', 'bound'))
    )
    result = openstack(
        *COMMAND, 'show', '--wait', CONTEXT_ID, '-f', 'value', '-c', 'status'
    )
    assert result == conftest.Result(0, 'bound\n', 'Waiting .\n')
    assert len(slept) == 1


def test_show_waits_for_nothing(cloud: Cloud, openstack: Run) -> None:
    attachments.statuses(cloud, {'status': 'error'})
    result = openstack(*COMMAND, 'show', '--wait', CONTEXT_ID)
    assert (result.code, result.err) == (0, '')
    assert len(cloud.requests()) == 1


def test_show_does_not_wait_for_ever(
    cloud: Cloud, openstack: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = attachments.no_sleep(monkeypatch)
    attachments.statuses(cloud, {'status': 'reserved'})
    result = openstack(*COMMAND, 'show', '--wait', CONTEXT_ID)
    assert result.code == 1
    assert 'is still reserved after 600 seconds' in result.err
    assert sum(slept) == 600


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


@pytest.mark.parametrize('server', ['vm1', conftest.SERVER_ID])
def test_list_of_a_server(cloud: Cloud, openstack: Run, server: str) -> None:
    attachments.serve(cloud, ['vm1'])
    cloud.answer('GET', json={'device_contexts': []})
    result = openstack(*COMMAND, 'list', '--server', server)
    assert result.code == 0, result.err
    (request,) = cloud.requests()
    assert request.qs['server_id'] == [conftest.SERVER_ID]


def test_list_of_a_server_of_another_project(
    cloud: Cloud, openstack: Run
) -> None:
    attachments.serve(cloud, ['vm1'])
    cloud.answer('GET', json={'device_contexts': []})
    openstack(*COMMAND, 'list', '--server', 'vm1', '--all-projects')
    asked = cloud.requests(conftest.NOVA)[-1]
    assert asked.qs == {'name': ['^vm1$'], 'all_tenants': ['1']}


def test_list_of_a_server_that_is_not_there(
    cloud: Cloud, openstack: Run
) -> None:
    attachments.serve(cloud, [])
    result = openstack(*COMMAND, 'list', '--server', 'vm9')
    assert result.code == 1
    assert 'Server vm9 was not found in the project' in result.err
    assert cloud.requests() == []


def test_list_what_follows_a_name(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('GET', json={'device_contexts': []})
    cloud.named('zip', CONTEXT_ID)
    result = openstack(*COMMAND, 'list', '--marker', 'zip', '--tag', 'gzip')
    assert result.code == 0, result.err
    assert len(cloud.requests()) == 2
    assert cloud.requests()[-1].qs['marker'] == [CONTEXT_ID]
    assert cloud.requests()[-1].qs['tag'] == ['gzip']


@pytest.mark.parametrize(
    ('field', 'option'),
    [('sort_key', '--sort'), ('limit', '--limit'), ('tag', '--tag')],
)
def test_a_refusal_names_what_was_typed(
    cloud: Cloud, openstack: Run, field: str, option: str
) -> None:
    refusal = conftest.error(400, f'Invalid {field}: it is so.')
    refusal['errors'][0]['code'] = 'nova_cyborg.invalid_request'
    cloud.answer('GET', status_code=400, json=refusal)
    result = openstack(*COMMAND, 'list', '--sort', 'size')
    assert result == conftest.Result(1, '', f'{option}: it is so.\n')


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


@pytest.mark.parametrize('field', ['name', 'description', 'tag'])
def test_set_to_nothing_and_unset_are_one(
    cloud: Cloud, openstack: Run, field: str
) -> None:
    cloud.answer('PATCH', f'/device_contexts/{CONTEXT_ID}', json={})
    cloud.named('zip', CONTEXT_ID)
    for command in (
        ('set', 'zip', f'--{field}', ''),
        ('unset', 'zip', f'--{field}'),
    ):
        result = openstack(*COMMAND, *command)
        assert (result.code, result.out) == (0, ''), result.err
        assert cloud.requests()[-1].json() == {field: None}


def test_unset_several(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('PATCH', f'/device_contexts/{CONTEXT_ID}', json={})
    result = openstack(*COMMAND, 'unset', CONTEXT_ID, '--name', '--tag')
    assert (result.code, result.out) == (0, '')
    (request,) = cloud.requests()
    assert request.json() == {'name': None, 'tag': None}


def test_unset_nothing_is_refused(cloud: Cloud, openstack: Run) -> None:
    result = openstack(*COMMAND, 'unset', CONTEXT_ID)
    assert result.code == 1
    assert 'Nothing to remove' in result.err
    assert cloud.requests() == []


def test_set_nothing_is_refused(cloud: Cloud, openstack: Run) -> None:
    result = openstack(*COMMAND, 'set', CONTEXT_ID)
    assert result.code == 1
    assert 'Nothing to change' in result.err
    assert cloud.requests() == []


def test_delete_of_one_says_why(cloud: Cloud, openstack: Run) -> None:
    cloud.answer(
        'DELETE',
        f'/device_contexts/{CONTEXT_ID}',
        status_code=409,
        json=conftest.error(409, 'It is in use.'),
    )
    result = openstack(*COMMAND, 'delete', CONTEXT_ID)
    assert result == conftest.Result(1, '', 'It is in use.\n')


def test_delete_by_name_goes_on_after_a_failure(
    cloud: Cloud, openstack: Run
) -> None:
    cloud.named('zip', CONTEXT_ID)
    cloud.named('gzip')
    cloud.answer('DELETE', f'/device_contexts/{CONTEXT_ID}', status_code=204)
    result = openstack(*COMMAND, 'delete', 'gzip', 'zip')
    assert result.code == 1
    assert 'Device context gzip was not found' in result.err
    assert '1 of 2 device contexts failed to delete.' in result.err
    assert cloud.requests()[-1].method == 'DELETE'


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


@pytest.mark.parametrize('verb', ['list', 'show', 'set', 'unset', 'delete'])
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


def test_create_warns_of_what_no_device_has(
    cloud: Cloud, openstack: Run
) -> None:
    warning = 'No device of this cloud is of class CUSTOM_X as yet.'
    cloud.answer(
        'POST',
        status_code=201,
        json=conftest.context() | {'warnings': [warning]},
    )

    result = openstack(
        *('accelerator', 'device', 'context', 'create', '--resources', 'X:1'),
        *('-f', 'value', '-c', 'uuid'),
    )

    assert (result.code, result.out) == (0, f'{CONTEXT_ID}\n')
    assert result.err == f'{warning}\n'
