# SPDX-License-Identifier: Apache-2.0

"""Units of work: what a thread of a service is at, and for which request.

An HTTP request that is served is one, a message of the bus that is, and what a
service does in a thread of its own. The calls and the SQL statements in
between are its.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import contextvars
import dataclasses
import threading
import time
import typing as ty

from tools.bench.tracing import recording


@dataclasses.dataclass
class Unit:
    """A unit of work.

    :ivar role: the service whose work it is.
    :ivar name: what it is.
    :ivar request: the id of the request that it is done for; empty while that
        is not known.
    :ivar sql: what it had of the database.
    :ivar more: what else there is to say.
    """

    role: str
    name: str
    request: str
    sql: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    more: dict[str, ty.Any] = dataclasses.field(default_factory=dict)


# Green threads have each their own, as native ones do.
_here: contextvars.ContextVar[Unit | None] = contextvars.ContextVar(
    'unit', default=None
)


class Units:
    """The units of a process.

    :param recorder: where they are written down.
    """

    def __init__(self, recorder: recording.Recorder) -> None:
        self.recorder = recorder
        self._lock = threading.Lock()
        # What threads without a unit had of the database, by request.
        self._apart: dict[str, collections.Counter[str]] = {}

    @contextlib.contextmanager
    def of(
        self, role: str, name: str, request: str
    ) -> collections.abc.Iterator[Unit]:
        """Write down a unit of work when it is done.

        :param role: the service whose work it is.
        :param name: what it is.
        :param request: the id of the request, if it is known already.
        :returns: a context manager that gives the unit.
        """
        unit = Unit(role, name, request)
        token = _here.set(unit)
        begin = time.monotonic()
        try:
            yield unit
        finally:
            end = time.monotonic()
            _here.reset(token)
            request = unit.request or of_context()
            self.recorder.write(
                'unit',
                role=role,
                name=name,
                request=request,
                begin=begin,
                end=end,
                **unit.sql,
                **unit.more,
            )
            self._write_apart(role, request)

    @contextlib.contextmanager
    def part(
        self, kind: str, name: str, role: str = '', **fields: ty.Any
    ) -> collections.abc.Iterator[dict[str, ty.Any]]:
        """Write down a part of what is being done.

        :param kind: what kind of line it is.
        :param name: what it is.
        :param role: the service, if that is known without a unit.
        :param fields: what else there is to say.
        :returns: a context manager that gives fields to add to.
        """
        unit = _here.get()
        more = dict(fields)
        begin = time.monotonic()
        try:
            yield more
        finally:
            end = time.monotonic()
            self.recorder.write(
                kind,
                role=role or (unit.role if unit else ''),
                name=name,
                request=request_id(),
                begin=begin,
                end=end,
                **more,
            )

    def count(self, **found: float) -> None:
        """Add to what the unit of this thread had of the database.

        :param found: statements, transactions, seconds and so on.
        """
        unit = _here.get()
        if unit is not None:
            unit.sql.update(found)  # type: ignore[arg-type]
            return
        request = of_context()
        with self._lock:
            counter = self._apart.setdefault(request, collections.Counter())
            counter.update(found)  # type: ignore[arg-type]

    def _write_apart(self, role: str, request: str) -> None:
        with self._lock:
            found = self._apart.pop(request, None)
        if found:
            self.recorder.write('apart', role=role, request=request, **found)


def request_id() -> str:
    """Return the id of the request that this thread works for.

    :returns: the one that goes through all services, if there is one; empty
        if it works for none.
    """
    unit = _here.get()
    return (unit.request if unit else '') or of_context()


def of_context() -> str:
    """Return the id of the request in the context that oslo.context keeps."""
    from oslo_context import context

    return of(context.get_current())


def of(context: ty.Any) -> str:
    """Return the id of a request.

    :param context: its context, as an object or as on the message bus.
    :returns: the id; empty if there is none.
    """
    if context is None:
        return ''
    known = context if isinstance(context, dict) else vars(context)
    return str(known.get('global_request_id') or known.get('request_id') or '')
