# SPDX-License-Identifier: Apache-2.0

"""A request between Nova and Cyborg goes wrong.

In each operation, each kind of fault once: the request is not served, it is
served and not answered, it is served when nobody waits for it any more, and
Cyborg is killed. All other pairs of a step and a fault are in the folder
``every``.
"""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc
import typing as ty

_ALLOCATION = r'/device_allocations/[^/]+$'
_ARQS = '/accelerator_requests$'
#: Method and path of a request of Nova's, by name of the step.
STEPS: dict[str, tuple[str, str]] = {
    'reserve': ('PUT', _ALLOCATION),
    'begin': ('POST', '/begin$'),
    'bind': ('POST', '/bind$'),
    'show': ('GET', _ALLOCATION),
    'read': ('GET', _ARQS),
    'activate': ('POST', '/activate$'),
    'settle': ('POST', '/settle$'),
    'unbind': ('POST', '/unbind$'),
    'release': ('DELETE', _ALLOCATION),
}
#: What happens to a request, by name of the fault.
FAULTS: dict[str, dict[str, ty.Any]] = {
    'fails': {'action': 'answer', 'value': 500},
    'is_unavailable': {'action': 'answer', 'value': 503},
    'is_garbled': {'action': 'garble'},
    'is_dropped': {'action': 'drop'},
    'is_lost': {'action': 'lose'},
    'is_answered_late': {'action': 'late', 'value': faulty.SECONDS + 1},
    'arrives_late': {'action': 'delay', 'value': faulty.SECONDS + 1},
}
#: Cyborg is killed, and stays down until Nova has done what it can.
KILLS: dict[str, dict[str, ty.Any]] = {
    'kills': {'action': 'die'},
    'kills_when_it_is_done': {'action': 'die_after'},
}


def tested_with(
    **faults: collections.abc.Iterable[str],
) -> collections.abc.Callable[[type], type]:
    """Give a class that checks an operation a test for each fault.

    :param faults: names of faults, by name of the step.
    """
    every = FAULTS | KILLS
    return faulty.tested_with(
        'fault',
        {
            f'{step}_{name}': {
                'method': STEPS[step][0],
                'path': STEPS[step][1],
                **every[name],
            }
            for step, names in faults.items()
            for name in names
        },
    )


@tested_with(
    reserve=['is_lost'],
    bind=['arrives_late', 'kills_when_it_is_done'],
    read=['fails'],
)
class BootTest(faulty.Boot):
    """Faults while a server is booted."""


class RepeatedTest(faulty.TestCase):
    """Nova repeats what goes wrong once, and nothing comes of it."""

    def _fault(self, step: str, name: str) -> None:
        method, path = STEPS[step]
        self.fault(method=method, path=path, **FAULTS[name])

    def test_a_server_is_booted(self) -> None:
        for step, name in (('reserve', 'is_lost'), ('bind', 'is_dropped')):
            self._fault(step, name)
            server = self.boot(self.context)
            self.heal()
            self.assert_uses_all(server)
            self.assert_deletes(server)

    def test_a_server_is_unshelved(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        for step, name in (('begin', 'fails'), ('bind', 'is_lost')):
            self.act(server, 'shelve', 'SHELVED_OFFLOADED')
            self._fault(step, name)
            self.act(server, 'unshelve')
            self.heal()
            self.assert_uses_all(server)

    def _refuse_to_bind(self, name: str) -> None:
        """Have each try of nova-conductor's to bind go wrong."""
        method, path = STEPS['bind']
        self.ask_again_at_once()
        self.cyborg.control(
            'fault',
            method=method,
            path=path,
            **FAULTS[name],
            times=self.TRIES,
        )

    def test_one_that_is_not_built_is_released(self) -> None:
        self._refuse_to_bind('fails')
        self._fault('release', 'is_unavailable')
        server = self.post_server(self.context)
        self.assertEqual('ERROR', self.wait_until_idle(server))
        self.heal()
        self.assertEqual('available', self.status(self.context))
        self.assert_in_step(audited=False)

    def test_one_that_is_not_unshelved_is_unbound(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self._refuse_to_bind('is_lost')
        self._fault('unbind', 'is_unavailable')
        self.act(server, 'unshelve', 'SHELVED_OFFLOADED')
        self.heal()
        self.assertEqual('reserved', self.status(self.context))
        self.assert_in_step(audited=False)
        self.act(server, 'unshelve')
        self.assert_uses_all(server)


@tested_with(
    release=['fails', 'is_lost', 'arrives_late', 'kills_when_it_is_done']
)
class DeleteTest(faulty.Delete):
    """Faults between Nova and Cyborg while a server is deleted."""


@tested_with(
    unbind=['fails', 'is_lost', 'arrives_late', 'kills_when_it_is_done']
)
class OffloadTest(faulty.Offload):
    """Faults while a server is shelved and offloaded."""


@tested_with(
    begin=['is_lost'],
    bind=['arrives_late', 'kills_when_it_is_done'],
    read=['fails'],
)
class UnshelveTest(faulty.Unshelve):
    """Faults while a server is unshelved."""


@tested_with(
    begin=['fails'],
    bind=['arrives_late', 'kills_when_it_is_done'],
    activate=['is_lost'],
    settle=['is_lost'],
)
class EvacuateTest(faulty.Evacuate):
    """Faults while a server is evacuated."""


class Beside:
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


@tested_with(bind=['kills_when_it_is_done'])
class BootBesideTest(Beside, faulty.Boot):
    """Cyborg is killed while a server with a profile, too, is booted."""


class Undone:
    """The device could not be bound, and Nova undoes what it has begun."""

    def fault(self, **fields: ty.Any) -> None:
        """Make a fault once, after those."""
        method, path = STEPS['bind']
        self.ask_again_at_once()
        self.cyborg.control(
            'fault',
            method=method,
            path=path,
            **FAULTS['fails'],
            times=self.TRIES,
        )
        super().fault(**fields)


@tested_with(release=['is_lost'])
class UndoneBootTest(Undone, faulty.Boot):
    """Faults while a boot is undone."""


@tested_with(unbind=['fails'])
class UndoneUnshelveTest(Undone, faulty.Unshelve):
    """Faults while an unshelving is undone."""


@tested_with(unbind=['kills_when_it_is_done'])
class UndoneEvacuateTest(Undone, faulty.Evacuate):
    """Faults while an evacuation is undone."""
