# SPDX-License-Identifier: Apache-2.0

"""``nova device-context-attach|detach|list``, through the real shell."""

import pytest

from nova_cyborg.cli.servers import waiting
from tests.unit.cli import attachments, conftest
from tests.unit.cli.attachments import HELD, SENTENCE
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, SERVER_ID, Cloud, Run

VERSION = ('--os-compute-api-version', '2.1')
ATTACH = (*VERSION, 'device-context-attach')
DETACH = (*VERSION, 'device-context-detach')
LIST = (*VERSION, 'device-context-list')


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was slept, which takes no time."""
    return attachments.no_sleep(monkeypatch)


@pytest.fixture
def servers(cloud: Cloud) -> Cloud:
    """A cloud whose Nova has one server, and the routes."""
    attachments.serve(cloud, ['vm1'])
    attachments.serve_routes(cloud)
    return cloud


@pytest.mark.parametrize('server', ['vm1', SERVER_ID])
def test_attach(servers: Cloud, nova: Run, server: str) -> None:
    result = nova(*ATTACH, '--tag', 'gzip', server, CONTEXT_ID.upper())

    assert result.code == 0, result.err
    assert 'attaching' in result.out
    asked = {'device_context_id': CONTEXT_ID, 'tag': 'gzip'}
    assert attachments.asked(servers) == [
        ('POST', {'deviceContextAttachment': asked})
    ]


def test_attach_and_wait(
    servers: Cloud, nova: Run, slept: list[float]
) -> None:
    attachments.statuses(
        servers, HELD | {'status': 'attaching'}, HELD | {'status': 'bound'}
    )

    result = nova(*ATTACH, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 0, result.err
    assert 'group 0: PCI 0000:0c:00.1 (ARQ' in result.out
    assert 'Attaching .\n' in result.err
    assert len(slept) == 1


def test_attach_and_wait_for_what_fails(servers: Cloud, nova: Run) -> None:
    attachments.statuses(
        servers,
        HELD | {'status': 'attaching'},
        {'status': 'available', 'fault': SENTENCE},
    )

    result = nova(*ATTACH, '--wait', 'vm1', CONTEXT_ID)

    assert (result.code, result.out) == (1, '')
    assert f'ERROR (CommandError): {SENTENCE}\n' in result.err


def test_waiting_can_be_ended(
    servers: Cloud, nova: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    attachments.statuses(servers, HELD | {'status': 'attaching'})
    monkeypatch.setattr(waiting.time, 'sleep', interrupt)

    result = nova(*ATTACH, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 130
    assert 'No longer waiting. It goes on by itself' in result.err


def test_detach(servers: Cloud, nova: Run) -> None:
    result = nova(*DETACH, 'vm1', CONTEXT_ID)

    assert (result.code, result.out) == (0, '')
    assert attachments.asked(servers) == [('DELETE', None)]


def test_detach_and_wait_for_what_the_guest_keeps(
    servers: Cloud, nova: Run
) -> None:
    attachments.statuses(
        servers,
        HELD | {'status': 'detaching'},
        HELD | {'status': 'bound', 'fault': SENTENCE},
    )

    result = nova(*DETACH, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert SENTENCE in result.err


def test_detach_and_wait(servers: Cloud, nova: Run) -> None:
    attachments.statuses(
        servers, HELD | {'status': 'detaching'}, {'status': 'available'}
    )

    result = nova(*DETACH, '--wait', 'vm1', CONTEXT_ID)

    assert (result.code, result.out) == (0, '')


def test_list(servers: Cloud, nova: Run) -> None:
    result = nova(*LIST, 'vm1')

    assert result.code == 0, result.err
    for shown in (CONTEXT_ID, 'zip', 'bound', 'gzip', f'(ARQ {OTHER_ID})'):
        assert shown in result.out


@pytest.mark.parametrize('command', [ATTACH, DETACH])
def test_a_name_that_no_device_context_has(
    servers: Cloud, nova: Run, command: tuple[str, ...]
) -> None:
    servers.named('zip')

    result = nova(*command, 'vm1', 'zip')

    assert result.code == 1
    assert 'Device context zip was not found' in result.err
    assert attachments.asked(servers) == []


@pytest.mark.parametrize(
    ('command', 'method'), [(ATTACH, 'POST'), (DETACH, 'DELETE')]
)
def test_a_name(
    servers: Cloud, nova: Run, command: tuple[str, ...], method: str
) -> None:
    servers.named('zip', CONTEXT_ID)

    result = nova(*command, 'vm1', 'zip')

    assert result.code == 0, result.err
    assert [each for each, _body in attachments.asked(servers)] == [method]
    assert len(servers.requests()) == 1


def test_detach_several_goes_on_after_a_failure(
    servers: Cloud, nova: Run
) -> None:
    servers.named('other')
    result = nova(*DETACH, 'vm1', 'other', CONTEXT_ID)

    assert result.code == 1
    assert (
        'Failed to detach device context other: Device context other was not '
        'found'
    ) in result.err
    assert '1 of 2 device contexts failed to detach.' in result.err
    assert attachments.asked(servers) == [('DELETE', None)]


def test_a_server_that_is_not_there(servers: Cloud, nova: Run) -> None:
    result = nova(*ATTACH, 'vm9', CONTEXT_ID)

    assert result.code == 1
    assert 'Server vm9 was not found in the project' in result.err


def test_two_servers_of_a_name(cloud: Cloud, nova: Run) -> None:
    attachments.serve(cloud, ['vm1', 'vm1'])

    result = nova(*ATTACH, 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert f'the name "vm1": {SERVER_ID}, {OTHER_ID}. Say' in result.err


@pytest.mark.parametrize(
    ('status', 'word'), [(403, 'forbidden'), (409, 'conflictingRequest')]
)
def test_a_sentence_of_nova_is_told_as_it_is(
    servers: Cloud, nova: Run, status: int, word: str
) -> None:
    answer = attachments.error(status, word, SENTENCE)
    attachments.nova(servers, 'POST', attachments.PATH, answer)

    result = nova(*ATTACH, 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert f'ERROR (CommandError): {SENTENCE}\n' in result.err


def test_a_nova_that_cannot_do_it(servers: Cloud, nova: Run) -> None:
    answer = {'status_code': 404, 'json': attachments.NO_ROUTE}
    attachments.nova(servers, 'GET', attachments.PATH, answer)

    result = nova(*LIST, 'vm1')

    assert result.code == 1
    assert 'of this cloud cannot attach device contexts' in result.err


def test_waiting_in_a_cloud_without_cyborg(servers: Cloud, nova: Run) -> None:
    servers.login({'compute': conftest.NOVA})

    result = nova(*DETACH, '--wait', 'vm1', CONTEXT_ID)

    assert result.code == 1
    assert 'no Accelerator service (Cyborg) that you can reach' in result.err


def test_help_lists_the_commands(nova: Run) -> None:
    result = nova('help')

    for name in ('attach', 'detach', 'list'):
        assert f'device-context-{name}' in result.out
