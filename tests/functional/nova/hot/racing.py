# SPDX-License-Identifier: Apache-2.0

"""What is done at the same time, in an order that a test chooses."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import collections.abc
import pkgutil
import threading
import typing as ty

import fixtures
from nova.tests.functional.api import client

ATTACH, DETACH = 'attach_device_context', 'detach_device_context'
#: What does the steps of both, and where it is called.
ATTACHMENT = 'nova_cyborg.nova.compute.attachments.Attachment'
ENDPOINT = 'nova_cyborg.nova.compute.hotplug.Endpoint._change'
DRIVER = 'nova_cyborg.nova.compute.libvirt.driver.LibvirtDriver'
#: Nova's own manager of nova-compute.
STOCK = 'nova.compute.manager.ComputeManager'
_SECONDS = 60


class Pause(fixtures.Fixture):
    """Has the next call of a function wait until it is told to go on.

    :param name: module, class and name of the function.
    :param after: whether it waits when it is done; else before.
    :param which: tells by its arguments whether a call is the one; None if any
        is.
    """

    def __init__(
        self,
        name: str,
        after: bool = False,
        which: collections.abc.Callable[..., bool] | None = None,
    ) -> None:
        super().__init__()
        self._name = name
        self._after = after
        self._which = which or (lambda *_args, **_kwargs: True)
        self._first = threading.Lock()
        self._begun = threading.Event()
        self._told = threading.Event()

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        function = pkgutil.resolve_name(self._name)

        def paused(*args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            waits = self._which(*args, **kwargs) and self._first.acquire(
                blocking=False
            )
            if waits and not self._after:
                self._wait()
            result = function(*args, **kwargs)
            if waits and self._after:
                self._wait()
            return result

        self.useFixture(fixtures.MonkeyPatch(self._name, paused))
        self.addCleanup(self._told.set)

    def _wait(self) -> None:
        self._begun.set()
        if not self._told.wait(_SECONDS):
            raise RuntimeError(f'{self._name} was not told to go on')

    def reached(self) -> None:
        """Wait until a call waits."""
        if not self._begun.wait(_SECONDS):
            raise RuntimeError(f'{self._name} was not called')

    def go_on(self) -> None:
        """Let the call that waits go on."""
        self._told.set()


class Request:
    """A request that is made while the test does something else.

    :param call: makes it.
    :param args: what it is called with.
    """

    def __init__(
        self, call: collections.abc.Callable[..., object], *args: ty.Any
    ) -> None:
        self._call = call
        self._args = args
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._call(*self._args)
        except Exception as exc:  # noqa: BLE001 - it is raised in the test
            self._error = exc

    def refusal(self) -> tuple[int, str] | None:
        """Wait for the answer.

        :returns: its status, and why it was refused; None if it was not.
        """
        self._thread.join(_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError('there is no answer')
        if self._error is None:
            return None
        if not isinstance(self._error, client.OpenStackApiException):
            raise self._error
        response = self._error.response
        return response.status_code, response.text


class TestCase(plugging.TestCase):
    """A server, and two things that are done with it at the same time."""

    def pause(self, name: str, after: bool = False, **more: ty.Any) -> Pause:
        """Have the next call of a function wait; see :class:`Pause`."""
        return self.useFixture(Pause(name, after, **more))

    def outcomes(self, *actions: str) -> list[str | None]:
        """Wait until actions of the server are over; say how they ended.

        :param actions: names of the last ones, in their order; what has
            another name is passed over.
        :returns: what each said of its failure; None if there was none.
        """
        path = f'/servers/{self.server["id"]}/os-instance-actions'

        def find() -> list[tuple[str | None]] | None:
            found = [
                each
                for each in self.admin_api.api_get(path).body[
                    'instanceActions'
                ]
                if each['action'] in actions
            ]
            # The last one comes first.
            last = found[: len(actions)][::-1]
            self.assertEqual(list(actions), [each['action'] for each in last])
            shown = [
                self.admin_api.api_get(f'{path}/{each["request_id"]}').body
                for each in last
            ]
            ends = [_end(each['instanceAction']) for each in shown]
            return None if None in ends else ends

        ends = ty.cast(list[tuple[str | None]], self.wait_for(find))
        return [why for (why,) in ends]

    def begin(self, action: str, **more: ty.Any) -> None:
        """Have something done with the server, and do not wait for it."""
        self.admin_api.post_server_action(
            self.server['id'], {action: more or None}
        )

    def reach(self, status: str) -> None:
        """Wait until the server has a status, and nothing is being done."""
        self.server = self.wait_for_status(self.server, status)

    def attach_until(self, name: str, after: bool = False) -> Pause:
        """Attach the PCI device, and have it wait at a function."""
        pause = self.pause(name, after)
        self.post(self.pci)
        pause.reached()
        return pause

    def detach_until(self, name: str) -> Pause:
        """Detach the PCI device, and have that wait at a function."""
        self.attach(self.pci)
        pause = self.pause(name)
        self.delete_attachment(self.pci)
        pause.reached()
        return pause

    def assert_settled(self, action: str = ATTACH) -> str | None:
        """Check that the server has what it was told that it has.

        If it is told to do it again, that is done.

        :param action: what was done with the device context.
        :returns: why it was not done; None if it was.
        """
        (why,) = self.outcomes(action)
        self.assertEqual('ACTIVE', self.server['status'])
        again = {'attaching': self.attach, 'detaching': self.detach}
        status = self.status(self.pci)
        if status in again:
            self.assertIsNotNone(why)
            again[status](self.pci)
            status = self.status(self.pci)
        if status == 'bound':
            if action == DETACH:
                self.assertIsNotNone(why)
            self.assert_has(self.pci)
            self.detach(self.pci)
        elif action == ATTACH:
            self.assertIsNotNone(why)
        self.assert_as_before()
        return why


def _end(action: dict[str, ty.Any]) -> tuple[str | None] | None:
    """Return why an action failed, if it is over."""
    for event in action['events']:
        if event['event'] == f'compute_{action["action"]}' and event['result']:
            failed = event['result'] == 'Error'
            return (str(event['details']) if failed else None,)
    return None
