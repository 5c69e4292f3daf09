# SPDX-License-Identifier: Apache-2.0


"""One embedded cloud for all tests, and a clean one for each."""

import collections.abc
import contextlib
import os
import pathlib
import signal
import typing as ty

import pytest

from tests.e2e import (
    cards,
    contexts,
    databases,
    logs,
    person,
    servers,
    waiting,
)
from tools.cloud import cloud as cloud_module
from tools.cloud import exception, wanted
from tools.cloud.model import state as cloud_state
from tools.command_line import progress

_DEVICES = pathlib.Path(__file__).with_name('devices')
_HOSTS = ('compute1', 'compute2')
_UP_SECONDS = 300
RUNNING = 'NOVA_CYBORG_E2E_CLOUD'
_PEOPLE = ('demo', 'other', 'admin')
_MARKS = pytest.StashKey[logs.LogMarks]()


@pytest.fixture(scope='session')
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> collections.abc.Iterator[cloud_module.Cloud]:
    """The cloud; it is stopped at the end, whatever happens.

    One who writes tests can have them run on a cloud that is up, and stays.
    """
    if RUNNING in os.environ:
        yield cloud_module.Cloud(os.environ[RUNNING])
        return
    # Whoever ends us wants what one who presses Ctrl-C wants.
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = cloud_module.Cloud(tmp_path_factory.mktemp('cloud'))
    try:
        made.up(
            wanted.Wanted(
                computes=len(_HOSTS),
                devices=[_DEVICES / f'{host}.yaml' for host in _HOSTS],
                seconds=_UP_SECONDS,
            ),
            progress.Progress(writer(request.config)),
        )
        yield made
    finally:
        made.down()
        signal.signal(signal.SIGTERM, previous)


def writer(config: pytest.Config) -> collections.abc.Callable[[str], None]:
    """Return what shows a line at once, past pytest's capture."""
    plugins = config.pluginmanager
    terminal: ty.Any = plugins.get_plugin('terminalreporter')
    capture: ty.Any = plugins.get_plugin('capturemanager')

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line)
            terminal.flush()

    return write


@pytest.fixture(scope='session')
def people(cloud: cloud_module.Cloud) -> dict[str, person.Person]:
    """Everybody, by name."""
    return {name: person.Person(cloud.environment(name)) for name in _PEOPLE}


@pytest.fixture(scope='session')
def demo(people: dict[str, person.Person]) -> person.Person:
    """A plain member of a project."""
    return people['demo']


@pytest.fixture(scope='session')
def other(people: dict[str, person.Person]) -> person.Person:
    """A plain member of another project."""
    return people['other']


@pytest.fixture(scope='session')
def admin(people: dict[str, person.Person]) -> person.Person:
    """The administrator."""
    return people['admin']


@pytest.fixture
def afterwards() -> contextlib.ExitStack:
    """What is to be done when the test's servers are gone."""
    return contextlib.ExitStack()


@pytest.fixture(autouse=True)
def nothing_left(
    request: pytest.FixtureRequest, afterwards: contextlib.ExitStack
) -> collections.abc.Iterator[None]:
    """Clean up after a test, and fail it if anything is left of it.

    What a test's servers held at its end must go away with them by itself;
    only the device contexts that no server held are deleted here.
    """
    if 'cloud' not in request.fixturenames:
        yield
        return
    cloud = request.getfixturevalue('cloud')
    request.node.stash[_MARKS] = logs.LogMarks(cloud)
    everybody = request.getfixturevalue('people').values()
    yield
    with afterwards:
        survivors = [
            context_id
            for owner in everybody
            for context_id in _clean_up(owner)
        ]
    assert not survivors, f'not deleted with their server: {survivors}'
    waiting.until(
        f'nothing to be left, but {databases.leftovers(cloud)}',
        lambda: not databases.leftovers(cloud),
    )


@pytest.fixture
def device_profile(
    admin: person.Person, afterwards: contextlib.ExitStack
) -> dict[str, str]:
    """A device profile for what only the second host has."""
    groups = [
        {
            'resources:CUSTOM_QAT': '1',
            'trait:CUSTOM_SOME_CRYPTO_CAPABILITY': 'required',
        }
    ]
    made: dict[str, str] = admin.accelerator.post(
        '/device_profiles', json=[{'name': 'crypto', 'groups': groups}]
    ).json()
    path = f'/device_profiles/{made["uuid"]}'
    # The test may have deleted it.
    afterwards.callback(admin.accelerator.delete, path, raise_exc=False)
    return made


@pytest.fixture
def card(
    cloud: cloud_module.Cloud, afterwards: contextlib.ExitStack
) -> cards.Card:
    """A card of the second host that comes and changes."""
    host = _HOSTS[1]
    state = cloud_state.State.load(cloud.folder)
    assert state is not None
    agent = f'cyborg-agent-{host}'

    def report() -> None:
        # One that is in a process with all of Cyborg reports within a minute.
        with contextlib.suppress(exception.UnknownService):
            cloud.stop_service(agent)
            cloud.start_service(agent)

    found = cards.Card(host, state.devices(host), report)
    afterwards.callback(found.restore)
    return found


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> collections.abc.Iterator[None]:
    """Add to the report of a failed test what the services complained of."""
    outcome: ty.Any = yield
    report = outcome.get_result()
    marks = item.stash.get(_MARKS, None)
    if report.failed and marks is not None:
        report.sections.append(('from the logs', marks.telling()))


def _clean_up(owner: person.Person) -> list[str]:
    """Delete a project's servers and device contexts.

    :returns: device contexts that should have gone with their servers.
    """
    held = [
        each['uuid']
        for each in contexts.every(owner)
        if each['server_id'] and each['delete_on_termination']
    ]
    servers.delete(owner, servers.every(owner))
    survivors = [
        context_id for context_id in held if contexts.exists(owner, context_id)
    ]
    for each in contexts.every(owner):
        contexts.delete(owner, each['uuid'])
    return survivors
