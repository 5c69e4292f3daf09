# SPDX-License-Identifier: Apache-2.0

"""The tags that device contexts are found by, in both clients."""

import json

import pytest

from tests.unit.cli import conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, Cloud, Run

COMMAND = ('accelerator', 'device', 'context')
PATH = f'/device_contexts/{CONTEXT_ID}'
TAGS = f'{PATH}/tags'


def sent(cloud: Cloud) -> list[tuple[str, str]]:
    """What Cyborg was asked to do, after device contexts were looked for."""
    return [
        (each.method, each.url.removeprefix(conftest.CYBORG))
        for each in cloud.requests()
        if each.method != 'GET'
    ]


def test_of_a_new_one(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('POST', status_code=201, json=conftest.context())

    result = openstack(
        *(*COMMAND, 'create', '--resources', 'FPGA:1'),
        *('--tags', 'prod, team-a', '--tags', 'blue'),
    )

    assert result.code == 0, result.err
    (request,) = cloud.requests()
    assert request.json()['tags'] == ['prod', 'team-a', 'blue']


def test_some_are_added_and_no_other_is_touched(
    cloud: Cloud, openstack: Run
) -> None:
    cloud.named('zip', CONTEXT_ID)
    cloud.answer('PUT', f'{TAGS}/prod', status_code=201)
    cloud.answer('PUT', f'{TAGS}/a%3Fb', status_code=204)

    result = openstack(*COMMAND, 'set', 'zip', '--tags', 'prod,a?b')

    assert (result.code, result.out) == (0, ''), result.err
    assert sent(cloud) == [('PUT', f'{TAGS}/prod'), ('PUT', f'{TAGS}/a%3Fb')]
    # The name was looked for once.
    assert len(cloud.requests()) == 3


@pytest.mark.parametrize(
    ('options', 'tags'),
    [
        (('set', '--no-tags', '--tags', 'prod,blue'), ['prod', 'blue']),
        (('set', '--no-tags'), []),
        (('unset', '--all-tags'), []),
    ],
)
def test_all_are_others(
    cloud: Cloud, openstack: Run, options: tuple[str, ...], tags: list[str]
) -> None:
    cloud.answer('PUT', TAGS, json={'tags': tags})

    result = openstack(*COMMAND, *options, CONTEXT_ID)

    assert result.code == 0, result.err
    (request,) = cloud.requests()
    assert (request.method, request.json()) == ('PUT', {'tags': tags})


def test_some_are_removed(cloud: Cloud, cyborg: Run) -> None:
    for tag in ('prod', 'blue'):
        cloud.answer('DELETE', f'{TAGS}/{tag}', status_code=204)

    result = cyborg('device-context-unset', CONTEXT_ID, '--tags', 'prod,blue')

    assert result == conftest.Result(0, '', '')
    assert sent(cloud) == [
        ('DELETE', f'{TAGS}/prod'),
        ('DELETE', f'{TAGS}/blue'),
    ]


def test_one_that_it_has_not(cloud: Cloud, cyborg: Run) -> None:
    refusal = conftest.error(404, 'It has no such tag.')
    cloud.answer('DELETE', f'{TAGS}/x', status_code=404, json=refusal)

    result = cyborg('device-context-unset', CONTEXT_ID, '--tags', 'x')

    assert result == conftest.Result(1, '', 'It has no such tag.\n')


def test_beside_other_fields(cloud: Cloud, cyborg: Run) -> None:
    cloud.answer('PATCH', PATH, json={})
    cloud.answer('PUT', f'{TAGS}/prod', status_code=201)

    result = cyborg(
        'device-context-set', CONTEXT_ID, '--tags', 'prod', '--tag', 'gzip'
    )

    assert result == conftest.Result(0, '', '')
    assert sent(cloud) == [('PATCH', PATH), ('PUT', f'{TAGS}/prod')]
    # The one by which its guest finds the device is another thing.
    assert cloud.requests()[0].json() == {'tag': 'gzip'}


@pytest.mark.parametrize(
    ('options', 'changed'),
    [
        (
            ('set', '--name', 'fast', '--tags', 'prod'),
            ('PUT', f'{TAGS}/prod'),
        ),
        (('set', '--name', 'fast', '--no-tags'), ('PUT', TAGS)),
        (('unset', '--name', '--tags', 'prod'), ('DELETE', f'{TAGS}/prod')),
        (('unset', '--name', '--all-tags'), ('PUT', TAGS)),
    ],
)
def test_of_what_has_another_name_by_then(
    cloud: Cloud,
    openstack: Run,
    options: tuple[str, ...],
    changed: tuple[str, str],
) -> None:
    cloud.named('gzip', CONTEXT_ID)

    def rename(_request: object, _context: object) -> dict[str, str]:
        # Somebody else's gets the name at once.
        cloud.named('gzip', OTHER_ID)
        return {}

    cloud.answer('PATCH', PATH, json=rename)
    method, path = changed
    cloud.answer(method, path, json={'tags': []})

    result = openstack(*COMMAND, *options, 'gzip')

    assert result == conftest.Result(0, '', '')
    assert sent(cloud) == [('PATCH', PATH), changed]


@pytest.mark.parametrize('verb', ['set', 'unset'])
def test_nothing_is_done_if_tags_make_no_sense(
    cloud: Cloud, cyborg: Run, verb: str
) -> None:
    name = '--name=fast' if verb == 'set' else '--name'

    result = cyborg(f'device-context-{verb}', CONTEXT_ID, name, '--tags', 'a,')

    assert (result.code, cloud.requests()) == (1, [])


@pytest.mark.parametrize('text', ['', 'a,', ',', 'a,,b', ' '])
@pytest.mark.parametrize('verb', ['set', 'unset'])
def test_nothing_beside_a_comma(
    cloud: Cloud, cyborg: Run, verb: str, text: str
) -> None:
    result = cyborg(f'device-context-{verb}', CONTEXT_ID, '--tags', text)

    assert result.code == 1
    assert '--tags: there is nothing' in result.err
    assert cloud.requests() == []


def test_a_refusal_names_the_option(cloud: Cloud, openstack: Run) -> None:
    refusal = conftest.error(400, 'Invalid tags.0: it is so.')
    refusal['errors'][0]['code'] = 'nova_cyborg.invalid_request'
    cloud.answer('POST', status_code=400, json=refusal)

    result = openstack(
        *COMMAND, 'create', '--resources', 'FPGA:1', '--tags', 'a/b'
    )

    assert result == conftest.Result(1, '', '--tags: it is so.\n')


def test_listed(cloud: Cloud, openstack: Run) -> None:
    found = conftest.context(tags=['a', 'b'])
    cloud.answer('GET', json={'device_contexts': [found]})

    result = openstack(*COMMAND, 'list', '--long', '-f', 'json')

    assert json.loads(result.out)[0]['tags'] == ['a', 'b']


class TestSeveral:
    """Several device contexts are made at once."""

    @pytest.fixture(autouse=True)
    def made(self, cloud: Cloud) -> None:
        found = [
            conftest.context(name='zip-1'),
            conftest.context(name='zip-2', uuid=OTHER_ID),
        ]
        answer = {'device_contexts': found, 'warnings': ['Beware.']}
        cloud.answer('POST', status_code=201, json=answer)

    @pytest.mark.parametrize('name', ['zip', None])
    def test_with_one_request(
        self, cloud: Cloud, cyborg: Run, name: str | None
    ) -> None:
        options = ['--name', name] if name else []

        result = cyborg(
            *('device-context-create', '--device-profile', 'gzip'),
            *('--count', '2', '--tags', 'prod', *options),
        )

        uuids = f'{CONTEXT_ID}\n{OTHER_ID}\n'
        assert result == conftest.Result(0, uuids, 'Beware.\n')
        (request,) = cloud.requests()
        each = {'device_profile': 'gzip', 'tags': ['prod']}
        assert request.json() == {
            'device_contexts': [
                {**each, 'name': f'zip-{number}'} if name else each
                for number in (1, 2)
            ]
        }

    @pytest.mark.parametrize(
        ('form', 'shown'),
        [
            ('value', f'{CONTEXT_ID}\n{OTHER_ID}\navailable\n'),
            ('json', {'uuid': [CONTEXT_ID, OTHER_ID], 'status': 'available'}),
        ],
    )
    def test_what_differs_is_shown_of_each(
        self, openstack: Run, form: str, shown: object
    ) -> None:
        result = openstack(
            *(*COMMAND, 'create', '--resources', 'FPGA:1', '--count', '2'),
            *('-f', form, '-c', 'uuid', '-c', 'status'),
        )

        assert result.code == 0, result.err
        found = json.loads(result.out) if form == 'json' else result.out
        assert found == shown

    def test_in_a_table(self, openstack: Run) -> None:
        result = openstack(
            *COMMAND, 'create', '--resources', 'FPGA:1', '--count', '2'
        )

        for text in (CONTEXT_ID, OTHER_ID, 'zip-1', 'zip-2'):
            assert text in result.out
        assert result.out.count('group 0: ') == 1

    @pytest.mark.parametrize(
        'number', ['0', '-1', 'two', '1.5', '101', '999999999']
    )
    def test_what_is_no_number(
        self, cloud: Cloud, cyborg: Run, number: str
    ) -> None:
        result = cyborg(
            'device-context-create', '--resources=FPGA:1', f'--count={number}'
        )

        assert result.code == 2
        assert 'argument --count: ' in result.err
        assert f'"{number}" is not a whole number from 1 to 100' in result.err
        assert cloud.requests() == []

    def test_as_many_as_there_may_be_at_once(
        self, cloud: Cloud, cyborg: Run
    ) -> None:
        cyborg('device-context-create', '--resources=FPGA:1', '--count=100')

        (request,) = cloud.requests()
        assert len(request.json()['device_contexts']) == 100

    def test_more_than_an_older_service_takes(
        self, cloud: Cloud, cyborg: Run
    ) -> None:
        refusal = conftest.error(
            400, 'Invalid device_contexts: must have at most 50 items.'
        )
        refusal['errors'][0]['code'] = 'nova_cyborg.invalid_request'
        cloud.answer('POST', status_code=400, json=refusal)

        result = cyborg(
            'device-context-create', '--resources=FPGA:1', '--count=51'
        )

        said = '--count: must have at most 50 items.\n'
        assert result == conftest.Result(1, '', said)
