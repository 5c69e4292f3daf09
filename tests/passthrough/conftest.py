# SPDX-License-Identifier: Apache-2.0

"""One cloud with two hypervisor machines for all tests, clean for each."""

import collections.abc
import contextlib
import os
import pathlib
import signal
import time

import pytest

from tests.e2e import conftest as e2e
from tests.e2e import person, waiting
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module
from tools.cloud import kinds, wanted
from tools.command_line import progress
from tools.seldom.guest import watch

# What is the same with hypervisors that are fake.
people = e2e.people
demo = e2e.demo
admin = e2e.admin
afterwards = e2e.afterwards
nothing_left = e2e.nothing_left
pytest_runtest_makereport = e2e.pytest_runtest_makereport

# A test has five starts of guests at most: each may be as slow as any.
_TEST_SECONDS = 5 * watch.Limits().overall


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that they take."""
    for item in items:
        if pathlib.Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_TEST_SECONDS))


def pytest_exception_interact(
    node: pytest.Item, report: pytest.TestReport
) -> None:
    """Add to the report of a failed test what there is to see of guests."""
    if 'cloud' in getattr(node, 'funcargs', {}):
        seen = hypervisors.tell(node.funcargs['cloud'])
        report.sections.append(('of the guests', seen))


@pytest.fixture(scope='session', autouse=True)
def patience() -> None:
    """Wait longer for all that the tests of fake hosts wait for, too."""
    waiting.SECONDS = guests.SECONDS


@pytest.fixture(scope='session')
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> collections.abc.Iterator[cloud_module.Cloud]:
    """The cloud; it is stopped at the end, whatever happens.

    One who writes tests can have them run on a cloud that is up, and stays.
    """
    if e2e.RUNNING in os.environ:
        yield cloud_module.Cloud(os.environ[e2e.RUNNING])
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = cloud_module.Cloud(tmp_path_factory.mktemp('cloud'))
    try:
        made.up(
            wanted.Wanted(kinds.PASSTHROUGH, computes=2),
            progress.Progress(e2e.writer(request.config)),
        )
        yield made
    finally:
        made.down()
        signal.signal(signal.SIGTERM, previous)


@pytest.fixture(autouse=True)
def clean_hosts(
    cloud: cloud_module.Cloud, afterwards: contextlib.ExitStack
) -> None:
    """Fail a test that leaves a guest, or a device without its driver."""

    def are_clean() -> bool:
        return all(
            not hypervisors.guests(cloud, host)
            and hypervisors.drivers(cloud, host)
            == hypervisors.host_drivers(host)
            for host in cloud.hosts()
        )

    afterwards.callback(
        waiting.until, 'all devices to have their host drivers', are_clean
    )


@pytest.fixture
def only_host(
    cloud: cloud_module.Cloud, admin: person.Person
) -> collections.abc.Iterator[collections.abc.Callable[[str | None], None]]:
    """Lets the scheduler choose one host only; any host again with None."""

    def choose(name: str | None) -> None:
        for host in cloud.hosts():
            hypervisors.enable(admin, host, name in (None, host))

    yield choose
    choose(None)


@pytest.fixture
def tell(
    request: pytest.FixtureRequest,
) -> collections.abc.Callable[[str], None]:
    """Shows a line at once, with the seconds since the test's start."""
    write = e2e.writer(request.config)
    start = time.monotonic()

    def line(text: str) -> None:
        write(f'  {time.monotonic() - start:5.0f} s  {text}')

    return line
