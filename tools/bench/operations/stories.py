# SPDX-License-Identifier: Apache-2.0

"""What is done with one server after the other, from its boot to its end."""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import typing as ty

from tools.bench import exception
from tools.bench.clouds import system as system_module
from tools.bench.model import operations, systems
from tools.bench.operations import samples as samples_module
from tools.bench.operations import servers as servers_module

_PAGE = 100


class Stories:
    """Does with servers of a system what is measured.

    :param system: the system.
    :param samples: where to write down what it took.
    :param bound: how many accelerators are bound already.
    """

    def __init__(
        self,
        system: system_module.System,
        samples: samples_module.Samples,
        bound: int,
    ) -> None:
        self._system = system
        self._servers = servers_module.Servers(system)
        self._take = functools.partial(samples.take, system, bound=bound)
        self._has_contexts = system.name == systems.CONTEXTS

    def accelerated(self) -> None:
        """Have a server with an accelerator live.

        :raises BenchError: if something is not done; the server is deleted.
        """
        contexts: list[str] = []
        if self._has_contexts:
            contexts = self._take(operations.MAKE, do=self._make)
        boot = functools.partial(
            self._servers.boot, self._system.accelerated, contexts
        )
        server_id = self._take(operations.BOOT, do=_with_request(boot))
        with self._deleted_at_last(server_id, operations.DELETE):
            for name, do in (
                (operations.REBOOT, self._servers.reboot),
                (operations.SHELVE, self._servers.shelve),
                (operations.UNSHELVE, self._servers.unshelve),
            ):
                self._take(name, do=functools.partial(do, server_id))
            if self._has_contexts:
                self._more(server_id)

    def plain(self) -> None:
        """Have a server without accelerators live.

        :raises BenchError: if something is not done; the server is deleted.
        """
        boot = functools.partial(self._servers.boot, self._system.plain, [])
        server_id = self._take(operations.BOOT_PLAIN, do=_with_request(boot))
        with self._deleted_at_last(server_id, operations.DELETE_PLAIN):
            self._take(
                operations.REBOOT_PLAIN,
                do=functools.partial(self._servers.reboot, server_id),
            )

    def many(self) -> None:
        """Have a server with many device contexts live.

        :raises BenchError: if something is not done; the server is deleted.
        """
        contexts = self._system.make_context(number=operations.MOST_CONTEXTS)
        boot = functools.partial(
            self._servers.boot, self._system.accelerated, contexts
        )
        server_id = self._take(operations.BOOT_MANY, do=_with_request(boot))
        with self._deleted_at_last(server_id, operations.DELETE_MANY):
            pass

    def lists(self) -> None:
        """List a page of device contexts.

        :raises BenchError: if the list is refused.
        """
        path = f'/device_contexts?limit={_PAGE}'
        for name, more in (
            (operations.LIST, ''),
            (operations.LIST_BOUND, '&status=bound'),
        ):
            ask = functools.partial(
                self._system.member.do, 'accelerator', 'GET', path + more
            )
            self._take(name, do=_with_request(ask))

    def _make(self, request: str) -> list[str]:
        return self._system.make_context(request)

    def _more(self, server_id: str) -> None:
        """Do what stock Nova refuses to servers with accelerators."""
        do = functools.partial(self._servers.migrate, server_id)
        self._take(operations.MIGRATE, do=do)
        (context_id,) = self._system.make_context()
        do = functools.partial(self._servers.attach, server_id, context_id)
        self._take(operations.ATTACH, do=do)
        do = functools.partial(self._servers.detach, server_id, context_id)
        self._take(operations.DETACH, do=do)
        self._system.member.do(
            'accelerator',
            'DELETE',
            f'/device_contexts/{context_id}',
        )

    @contextlib.contextmanager
    def _deleted_at_last(
        self, server_id: str, operation: str
    ) -> collections.abc.Iterator[None]:
        try:
            yield
        except exception.BenchError:
            self._servers.delete(server_id)
            raise
        delete = functools.partial(self._servers.delete, server_id)
        self._take(operation, do=delete)


def _with_request(
    do: collections.abc.Callable[..., ty.Any],
) -> collections.abc.Callable[[str], ty.Any]:
    """Return a function that is called with the id of a request alone."""
    return lambda request: do(request=request)
