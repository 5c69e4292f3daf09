# SPDX-License-Identifier: Apache-2.0

"""``openstack server add|remove device context``, through the real shell."""

import json
from urllib import parse

import pytest

from nova_cyborg.cli.servers import waiting
from tests.unit.cli import attachments, conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, SERVER_ID, Cloud, Run

ADD = ('server', 'add', 'device', 'context')
REMOVE = ('server', 'remove', 'device', 'context')
LIST = ('server', 'device', 'context', 'list')
HELD = attachments.HELD
SENTENCE = attachments.SENTENCE


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was slept, which takes no time."""
    return attachments.no_sleep(monkeypatch)


@pytest.fixture
def nova(cloud: Cloud) -> Cloud:
    """A cloud whose Nova has one server, and the routes."""
    attachments.serve(cloud, ['vm1'])
    attachments.serve_routes(cloud)
    return cloud


@pytest.mark.parametrize('server', ['vm1', SERVER_ID])
def test_add(nova: Cloud, openstack: Run, server: str) -> None:
    result = openstack(*ADD, server, CONTEXT_ID.upper(), '-f', 'json')

    assert result.code == 0, result.err
    assert json.loads(result.out) == attachments.BEGUN
    asked = {'device_context_id': CONTEXT_ID}
    assert attachments.asked(nova) == [
        ('POST', {'deviceContextAttachment': asked})
    ]


def test_add_with_a_tag(nova: Cloud, openstack: Run) -> None:
    result = openstack(*ADD, '--tag', 'gzip', 'vm1', CONTEXT_ID)

    assert result.code == 0, result.err
    ((_method, body),) = attachments.asked(nova)
    assert body['deviceContextAttachment']['tag'] == 'gzip'


def test_add_and_wait(nova: Cloud, openstack: Run, slept: list[float]) -> None:
    begun = HELD | {'status': 'attaching'}
    attachments.statuses(nova, begun, begun, HELD | {'status': 'bound'})

    result = openstack(*ADD, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 0, result.err
    assert 'group 0: PCI 0000:0c:00.1 (ARQ' in result.out
    assert result.err == 'Attaching ..\n'
    assert len(slept) == 2


@pytest.mark.parametrize(
    'failed',
    [
        {'status': 'available', 'fault': SENTENCE},
        HELD | {'status': 'error', 'fault': SENTENCE},
    ],
)
def test_add_and_wait_for_what_fails(
    nova: Cloud, openstack: Run, failed: dict[str, str]
) -> None:
    attachments.statuses(nova, HELD | {'status': 'attaching'}, failed)

    result = openstack(*ADD, '--wait', 'vm1', CONTEXT_ID)

    assert (result.code, result.out) == (1, '')
    assert result.err == f'Attaching .\n{SENTENCE}\n'


def test_a_failure_without_a_reason_names_the_actions(
    nova: Cloud, openstack: Run
) -> None:
    attachments.statuses(nova, {'status': 'available'})

    result = openstack(*ADD, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert f'was not attached to server {SERVER_ID}' in result.err
    assert f'openstack server event list {SERVER_ID}' in result.err


def test_waiting_has_an_end(
    nova: Cloud, openstack: Run, slept: list[float]
) -> None:
    attachments.statuses(nova, HELD | {'status': 'attaching'})

    result = openstack(*ADD, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert 'is still attaching after 600 seconds' in result.err
    assert sum(slept) == waiting.LONGEST


def test_waiting_can_be_ended(
    nova: Cloud, openstack: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    attachments.statuses(nova, HELD | {'status': 'detaching'})
    monkeypatch.setattr(waiting.time, 'sleep', interrupt)

    result = openstack(*REMOVE, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 130
    assert 'No longer waiting. It goes on by itself' in result.err
    assert 'Traceback' not in result.err


def test_remove(nova: Cloud, openstack: Run) -> None:
    result = openstack(*REMOVE, 'vm1', CONTEXT_ID)

    assert (result.code, result.out, result.err) == (0, '', '')
    assert attachments.asked(nova) == [('DELETE', None)]


def test_remove_and_wait(nova: Cloud, openstack: Run) -> None:
    attachments.statuses(
        nova, HELD | {'status': 'detaching'}, {'status': 'available'}
    )

    result = openstack(*REMOVE, '--wait', 'vm1', CONTEXT_ID)

    assert (result.code, result.out) == (0, '')
    assert result.err == 'Detaching .\n'


@pytest.mark.parametrize(
    ('fault', 'said'),
    [(SENTENCE, SENTENCE), (None, 'was not detached from server')],
)
def test_remove_and_wait_for_what_the_guest_keeps(
    nova: Cloud, openstack: Run, fault: str | None, said: str
) -> None:
    attachments.statuses(
        nova,
        HELD | {'status': 'detaching'},
        HELD | {'status': 'bound', 'fault': fault},
    )

    result = openstack(*REMOVE, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert said in result.err


def test_remove_and_wait_for_what_is_left_detaching(
    nova: Cloud, openstack: Run
) -> None:
    """Nothing of it was bound, and the server was busy."""
    attachments.statuses(
        nova,
        HELD | {'status': 'detaching', 'fault': None, 'bindings': []},
        HELD | {'status': 'detaching', 'fault': SENTENCE, 'bindings': []},
    )

    result = openstack(*REMOVE, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert SENTENCE in result.err


def test_list(nova: Cloud, openstack: Run) -> None:
    result = openstack(*LIST, 'vm1', '-f', 'csv', '--quote', 'none')

    assert result.code == 0, result.err
    _head, row = result.out.splitlines()
    assert row.startswith(f'{CONTEXT_ID},zip,bound,gzip,')


def test_list_as_a_table_tells_the_slot(nova: Cloud, openstack: Run) -> None:
    result = openstack(*LIST, 'vm1')

    assert 'group 0: PCI 0000:0c:00.1 (ARQ' in result.out


@pytest.mark.parametrize('command', [ADD, REMOVE])
def test_a_name_that_no_device_context_has(
    nova: Cloud, openstack: Run, command: tuple[str, ...]
) -> None:
    nova.named('zip')

    result = openstack(*command, 'vm1', 'zip')

    assert result.code == 1
    assert 'Device context zip was not found' in result.err
    assert attachments.asked(nova) == []


@pytest.mark.parametrize(
    ('command', 'method'), [(ADD, 'POST'), (REMOVE, 'DELETE')]
)
def test_names_cost_a_call_each(
    nova: Cloud, openstack: Run, command: tuple[str, ...], method: str
) -> None:
    nova.named('zip', CONTEXT_ID)

    result = openstack(*command, 'vm1', 'zip')

    assert result.code == 0, result.err
    assert [each for each, _body in attachments.asked(nova)] == [method]
    assert len(nova.requests()) == 1
    found = [
        request
        for request in nova.requests(conftest.NOVA)
        if 'os-device-contexts' not in request.url and request.query
    ]
    assert len(found) == 1


def test_uuids_cost_no_call(nova: Cloud, openstack: Run) -> None:
    result = openstack(*REMOVE, SERVER_ID, CONTEXT_ID)

    assert result.code == 0, result.err
    assert nova.requests() == []
    assert not [
        request
        for request in nova.requests(conftest.NOVA)
        if 'os-device-contexts' not in request.url
        and '/servers' in request.url
    ]


def test_a_name_of_nova_s_is_taken_as_it_is(
    cloud: Cloud, openstack: Run
) -> None:
    # Not as a regular expression, and not in other letters.
    attachments.serve(cloud, ['vm1', 'VM1'])
    attachments.serve_routes(cloud)
    attachments.nova(
        cloud,
        'GET',
        r'/servers?name=%5Ev\.%5C%2A%24',
        {'json': {'servers': []}},
    )

    assert openstack(*REMOVE, 'vm1', CONTEXT_ID).code == 0
    result = openstack(*REMOVE, 'v.*', CONTEXT_ID)

    assert result.code == 1
    assert 'Server v.* was not found in the project' in result.err
    (query,) = parse.parse_qs(cloud.requests(conftest.NOVA)[-1].query)['name']
    assert query == r'^v\.\*$'


def test_remove_several_goes_on_after_a_failure(
    nova: Cloud, openstack: Run
) -> None:
    gone = f'{attachments.PATH}/{OTHER_ID}'
    answer = attachments.error(404, 'itemNotFound', SENTENCE)
    attachments.nova(nova, 'DELETE', gone, answer)

    result = openstack(*REMOVE, 'vm1', OTHER_ID, CONTEXT_ID)

    assert result == conftest.Result(
        1,
        '',
        f'Failed to detach device context {OTHER_ID}: {SENTENCE}\n'
        '1 of 2 device contexts failed to detach.\n',
    )
    assert len(attachments.asked(nova)) == 2


@pytest.mark.parametrize(
    'argv',
    [(*ADD, 'vm9', CONTEXT_ID), (*REMOVE, 'vm9', CONTEXT_ID), (*LIST, 'vm9')],
)
def test_a_server_that_is_not_there(
    nova: Cloud, openstack: Run, argv: tuple[str, ...]
) -> None:
    result = openstack(*argv)

    assert result.code == 1
    assert 'vm9' in result.err
    assert attachments.asked(nova) == []


def test_two_servers_of_a_name(cloud: Cloud, openstack: Run) -> None:
    attachments.serve(cloud, ['vm1', 'vm1'])

    result = openstack(*ADD, 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert f'the name "vm1": {SERVER_ID}, {OTHER_ID}. Say' in result.err
    assert attachments.asked(cloud) == []


@pytest.mark.parametrize(
    ('status', 'word'),
    [
        (400, 'badRequest'),
        (403, 'forbidden'),
        (404, 'itemNotFound'),
        (409, 'conflictingRequest'),
        (500, 'computeFault'),
    ],
)
@pytest.mark.parametrize(
    'argv',
    [
        (*ADD, 'vm1', CONTEXT_ID),
        (*REMOVE, '--wait', 'vm1', CONTEXT_ID),
        (*LIST, 'vm1'),
    ],
)
def test_a_sentence_of_nova_is_told_as_it_is(
    nova: Cloud, openstack: Run, argv: tuple[str, ...], status: int, word: str
) -> None:
    answer = attachments.error(status, word, SENTENCE)
    attachments.nova(nova, 'POST', attachments.PATH, answer)
    attachments.nova(nova, 'GET', attachments.PATH, answer)
    attachments.nova(nova, 'DELETE', attachments.MEMBER, answer)

    result = openstack(*argv)

    assert result == conftest.Result(1, '', f'{SENTENCE}\n')


@pytest.mark.parametrize(
    'answer',
    [
        {'status_code': 404, 'json': attachments.NO_ROUTE},
        {'status_code': 404, 'text': '<html>404</html>'},
        {'status_code': 405, 'text': ''},
    ],
)
def test_a_nova_that_cannot_do_it(
    nova: Cloud, openstack: Run, answer: dict[str, object]
) -> None:
    attachments.nova(nova, 'POST', attachments.PATH, answer)

    result = openstack(*ADD, 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert 'of this cloud cannot attach device contexts' in result.err


def test_something_else_answers(nova: Cloud, openstack: Run) -> None:
    answer = {'status_code': 502, 'text': '<html>Bad gateway</html>'}
    attachments.nova(nova, 'GET', attachments.PATH, answer)

    result = openstack(*LIST, 'vm1')

    assert result == conftest.Result(
        1,
        '',
        'The Compute service (Nova) answered with HTTP status 502.\n',
    )


def test_a_cloud_without_nova(cloud: Cloud, openstack: Run) -> None:
    cloud.login({'accelerator': conftest.CYBORG})

    result = openstack(*LIST, 'vm1')

    assert result.code == 1
    assert 'no Compute service (Nova) that you can reach' in result.err


@pytest.mark.parametrize('command', [ADD, REMOVE, LIST])
def test_help_has_examples(openstack: Run, command: tuple[str, ...]) -> None:
    result = openstack(*command, '--help')

    assert result.code == 0
    assert 'Examples:' in result.out
