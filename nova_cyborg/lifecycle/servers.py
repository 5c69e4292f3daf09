# SPDX-License-Identifier: Apache-2.0

"""Servers: as much of what Nova shows as matters to device contexts."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import enum
import typing as ty

from oslo_utils import timeutils

from nova_cyborg import model


class State(enum.Enum):
    """As much of a server's state as matters to its device contexts."""

    #: Nova does not know it, or not any more.
    GONE = 'gone'
    #: It is being deleted, or is soft-deleted.
    LEAVING = 'leaving'
    #: It is in error, and was never running.
    NEVER_BUILT = 'never built'
    #: It is shelved, and on no host.
    OFFLOADED = 'offloaded'
    #: It is on a host, and nothing is being done with it.
    RESTING = 'resting'
    #: It is in error, and nothing is being done with it.
    FAILED = 'failed'
    #: It was moved to another host, and may be moved back.
    MOVED = 'moved'
    #: It is being unshelved, evacuated or rebuilt.
    ARRIVING = 'arriving'
    #: It is there, and something else may be under way.
    EXISTS = 'exists'
    #: Nova does not say.
    UNKNOWN = 'unknown'


#: A server that is being deleted, or was.
LEAVING = frozenset((State.GONE, State.LEAVING))
#: A server that is on a host, or comes to one.
STAYING = frozenset((State.RESTING, State.MOVED, State.ARRIVING))
#: A server that holds device contexts and will not come to use them. One that
#: is soft-deleted can be restored.
NEVER_TO_USE = frozenset((State.GONE, State.NEVER_BUILT))
#: A server that is on a host, and nothing is being done with it.
AT_REST = frozenset((State.RESTING, State.FAILED))

_BY_STATUS = {
    # Of one in a cell that is down, Nova shows nothing but that and what its
    # API database has; of one with a state that it cannot name, the same.
    'UNKNOWN': State.UNKNOWN,
    'DELETED': State.GONE,
    'SOFT_DELETED': State.LEAVING,
    'BUILD': State.EXISTS,
}

# A server that is soft-deleted on no host, or on one that is down, is deleted
# for good; one on a host asks for nothing until it is reclaimed.
_LEAVING_TASKS = ('deleting', 'soft-deleting')
_ARRIVING_TASKS = (
    'unshelving',
    'rebuilding',
    'rebuild_block_device_mapping',
    'rebuild_spawning',
)
# It is shelved until it is on its host; the task is that of a build, too.
_UNSHELVED = ('SHELVED_OFFLOADED', 'spawning')


@dataclasses.dataclass(frozen=True)
class Server:
    """A server, as Nova shows it.

    :ivar server_id: its UUID.
    :ivar state: its state.
    :ivar node: the name of its compute node; None if Nova does not say.
    :ivar launched_at: when its guest was started on its way to a host; None
        if it never was, or Nova does not say.
    :ivar flavor_resources: what its flavor asks Placement for by itself, with
        no device profile: amounts by resource class.
    :ivar tells_flavor: whether that is all that its flavor asks for; not if it
        names a device profile, or Nova does not show it.
    :ivar updated_at: when it has changed; None if Nova does not say.
    """

    server_id: str
    state: State
    node: str | None = None
    launched_at: datetime.datetime | None = None
    flavor_resources: collections.abc.Mapping[str, int] = dataclasses.field(
        default_factory=dict, compare=False
    )
    tells_flavor: bool = dataclasses.field(default=False, compare=False)
    updated_at: datetime.datetime | None = dataclasses.field(
        default=None, compare=False
    )

    @classmethod
    def from_body(cls, server_id: str, body: dict[str, ty.Any]) -> Server:
        """Read what Nova answers.

        :param server_id: UUID of the server.
        :param body: the ``server`` of Nova's answer.
        :returns: the server.
        """
        return cls(
            server_id,
            _state(body),
            body.get('OS-EXT-SRV-ATTR:hypervisor_hostname'),
            _time(body.get('OS-SRV-USG:launched_at')),
            _flavor_resources(body),
            _tells_flavor(body),
            _time(body.get('updated')),
        )


def was_never_on_a_host(body: dict[str, ty.Any]) -> bool:
    """Tell whether a server is on no host, and never ran on one.

    :param body: the server, as Nova's answers have it.
    :returns: whether it is so; False if Nova does not say.
    """
    launched = body.get('OS-SRV-USG:launched_at', '') is not None
    return not _is_on_host(body) and not launched


def _state(body: dict[str, ty.Any]) -> State:
    status, task = body['status'], body.get('OS-EXT-STS:task_state', '')
    if task in _LEAVING_TASKS:
        return State.LEAVING
    if status == 'ERROR' and was_never_on_a_host(body):
        return State.NEVER_BUILT
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if task is not None:
        arriving = task in _ARRIVING_TASKS or (status, task) == _UNSHELVED
        return State.ARRIVING if arriving else State.EXISTS
    if status == 'ERROR':
        return State.FAILED
    if status == 'SHELVED_OFFLOADED':
        return State.OFFLOADED
    if status == 'VERIFY_RESIZE':
        return State.MOVED
    return State.RESTING if _is_on_host(body) else State.EXISTS


def _time(value: str | None) -> datetime.datetime | None:
    return timeutils.parse_isotime(value) if value else None


def _flavor_resources(body: dict[str, ty.Any]) -> dict[str, int]:
    # Who may not see the extra specs is not shown them.
    extra_specs = body.get('flavor', {}).get('extra_specs', {})
    found: collections.Counter[str] = collections.Counter()
    for key, value in extra_specs.items():
        # A group's name may follow, as in resources_a:FPGA.
        kind, _colon, name = key.partition(':')
        if kind.startswith('resources') and str(value).isdecimal():
            found[name] += int(value)
    return dict(found)


def _tells_flavor(body: dict[str, ty.Any]) -> bool:
    extra_specs = body.get('flavor', {}).get('extra_specs')
    if extra_specs is None:
        return False
    profile = extra_specs.get(model.PROFILE_EXTRA_SPEC)
    return profile in (None, model.FLAVOR_MARKER)


def _is_on_host(body: dict[str, ty.Any]) -> bool:
    # Only administrators are shown the host: to others, it is on one.
    return body.get('OS-EXT-SRV-ATTR:host', '') is not None
