# SPDX-License-Identifier: Apache-2.0

"""A request between Nova and Cyborg goes wrong, at each step."""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc
import typing as ty

from tests.functional.nova import edge

_ALLOCATION = r'/device_allocations/[^/]+$'
_BEGIN = '/begin$'
_BIND = '/bind$'
_UNBIND = '/unbind$'
_ARQS = '/accelerator_requests$'

_FAULTS: dict[str, dict[str, ty.Any]] = {
    'fails': {'action': 'answer', 'value': 500},
    'is_unavailable': {'action': 'answer', 'value': 503},
    'is_garbled': {'action': 'garble'},
    'is_dropped': {'action': 'drop'},
    'is_lost': {'action': 'lose'},
    'is_answered_late': {'action': 'late', 'value': faulty.SECONDS + 1},
    'arrives_late': {'action': 'delay', 'value': faulty.SECONDS + 1},
}
# Cyborg is killed, and stays down until Nova has done what it can.
_KILLS: dict[str, dict[str, ty.Any]] = {
    'kills': {'action': 'die'},
    'kills_when_it_is_done': {'action': 'die_after'},
}


def with_faults(
    faults: collections.abc.Mapping[str, dict[str, ty.Any]],
    **steps: tuple[str, str],
) -> collections.abc.Callable[[type], type]:
    """Give a class a test for each fault of each step.

    :param faults: what happens, by name.
    :param steps: method and path of the request, by name of the step.
    """

    return faulty.tested_with(
        'fault',
        {
            f'{name}_{fault}': {'method': method, 'path': path, **fields}
            for name, (method, path) in steps.items()
            for fault, fields in faults.items()
        },
    )


@with_faults(
    _FAULTS | _KILLS,
    reserve=('PUT', _ALLOCATION),
    bind=('POST', _BIND),
    read=('GET', _ARQS),
)
class BootTest(faulty.Boot):
    """Faults while a server is booted."""


@with_faults(_FAULTS | _KILLS, free=('DELETE', _ARQS))
class DeleteTest(faulty.Delete):
    """Faults between Nova and Cyborg while a server is deleted."""


@with_faults(_FAULTS, ask=('GET', '/servers/'))
class DeleteIsNotConfirmedTest(faulty.Delete):
    """Faults between Cyborg and Nova while a server is deleted."""

    def fault(self, **fields: ty.Any) -> None:
        """Make a fault once."""
        self.limit_if_late(**fields)
        self.nova_edge.faults.append(edge.Fault(**fields, times=1))


@with_faults(_FAULTS | _KILLS, free=('POST', _UNBIND))
class OffloadTest(faulty.Offload):
    """Faults while a server is shelved and offloaded."""


@with_faults(
    _FAULTS | _KILLS,
    begin=('POST', _BEGIN),
    bind=('POST', _BIND),
    read=('GET', _ARQS),
)
class UnshelveTest(faulty.Unshelve):
    """Faults while a server is unshelved."""


@with_faults(
    _FAULTS | _KILLS,
    begin=('POST', _BEGIN),
    bind=('POST', _BIND),
    read=('GET', _ARQS),
    settle=('POST', _UNBIND),
)
class EvacuateTest(faulty.Evacuate):
    """Faults while a server is evacuated."""


class _Beside:
    """The flavor brings a device profile along."""

    def setUp(self) -> None:
        super().setUp()
        for host in self.HOSTS:
            self.add_device(host, resource_class='PGPU', slots=1)
        self.create_profile('gpu', {'resources:PGPU': '1'})
        self.flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'gpu'}
        )

    def post_server(
        self, *context_ids: ty.Any, **fields: ty.Any
    ) -> dict[str, ty.Any]:
        """Ask for a server with a flavor that has a device profile."""
        return super().post_server(
            *context_ids, flavorRef=self.flavor, **fields
        )

    def assert_hostdevs(
        self,
        server: dict[str, ty.Any],
        slots: collections.abc.Iterable[str],
        kind: str = 'pci',
    ) -> None:
        """Check that a guest has slots, of whichever request."""
        found = [hostdev.slot for hostdev in self.hostdevs(server)]
        self.assertEqual(2, len(found))
        self.assertCountEqual(slots, found)


@with_faults(_KILLS, reserve=('PUT', _ALLOCATION), bind=('POST', _BIND))
class BootBesideTest(_Beside, faulty.Boot):
    """Cyborg is killed while a server with a profile, too, is booted."""


@with_faults(_KILLS, free=('DELETE', _ARQS))
class DeleteBesideTest(_Beside, faulty.Delete):
    """Cyborg is killed while a server with a profile, too, is deleted."""


@with_faults(_KILLS, free=('POST', _UNBIND))
class OffloadBesideTest(_Beside, faulty.Offload):
    """Cyborg is killed while a server with a profile, too, is offloaded."""


@with_faults(_KILLS, begin=('POST', _BEGIN), bind=('POST', _BIND))
class UnshelveBesideTest(_Beside, faulty.Unshelve):
    """Cyborg is killed while a server with a profile, too, is unshelved."""


@with_faults(_KILLS, bind=('POST', _BIND), settle=('POST', _UNBIND))
class EvacuateBesideTest(_Beside, faulty.Evacuate):
    """Cyborg is killed while a server with a profile, too, is evacuated."""


class _Undo:
    """The device could not be bound, and Nova undoes what it has begun."""

    def fault(self, **fields: ty.Any) -> None:
        """Make a fault once, after that one."""
        self.cyborg.control(
            'fault', method='POST', path=_BIND, **_FAULTS['fails'], times=1
        )
        super().fault(**fields)


@with_faults(_FAULTS | _KILLS, release=('DELETE', _ALLOCATION))
class UndoBootTest(_Undo, faulty.Boot):
    """Faults while a boot is undone."""


@with_faults(_FAULTS | _KILLS, unbind=('POST', _UNBIND))
class UndoUnshelveTest(_Undo, faulty.Unshelve):
    """Faults while an unshelve is undone."""


@with_faults(_FAULTS | _KILLS, unbind=('POST', _UNBIND))
class UndoEvacuateTest(_Undo, faulty.Evacuate):
    """Faults while an evacuation is undone."""
