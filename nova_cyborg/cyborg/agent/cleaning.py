# SPDX-License-Identifier: Apache-2.0

"""Cleaning slots on their host, each by the driver that reports its device."""

from __future__ import annotations

import collections.abc
import concurrent.futures
import dataclasses
import functools
import json
import logging
import re
import threading
import typing as ty

from cyborg import context as cyborg_context
from cyborg.conductor import rpcapi

from nova_cyborg import exception, model

LOG = logging.getLogger(__name__)

# Slots that are cleaned at a time; more wait.
_THREADS = 4
_MOST_SAID = 255


@dataclasses.dataclass(frozen=True)
class Slot:
    """A slot that is to be cleaned.

    :ivar handle_id: UUID of the attach handle.
    :ivar cleaning_id: UUID of what is under way: another one each time that
        the slot is given back, or that cleaning is begun again.
    :ivar deployable: the name of the deployable, as its driver reports it.
    :ivar attach_type: ``PCI``, ``MDEV`` or another of Cyborg's.
    :ivar attach_info: Cyborg's address of the slot, as its driver reports it:
        the text of a JSON object.
    """

    handle_id: str
    cleaning_id: str
    deployable: str
    attach_type: str
    attach_info: str

    @property
    def cleaning(self) -> tuple[str, str]:
        """What there is once: the slot, and its cleaning that is meant.

        A cyborg-conductor of an earlier release gives one UUID to all slots
        that a server gives back at once.
        """
        return self.handle_id, self.cleaning_id

    @functools.cached_property
    def info(self) -> collections.abc.Mapping[str, str]:
        """The parts of the address."""
        parsed: dict[str, str] = json.loads(self.attach_info)
        return parsed

    @property
    def pci_address(self) -> str:
        """The PCI address of the slot, or of the card it is on.

        :raises KeyError: if it has none.
        """
        return model.pci_address(self.info)

    @property
    def name(self) -> str:
        """A name for files that no other slot of any host has."""
        mark = self.info.get('vgpu_mark', '')
        name = f'{self.deployable}_{self.pci_address}_{mark}'.rstrip('_')
        return re.sub(r'[^A-Za-z0-9_.:-]', '_', name)


class Driver(ty.Protocol):
    """A driver of cyborg-agent that can clean slots.

    It reports a device whose slots are to be cleaned with the attribute
    ``cleaning`` of the deployable: the number of seconds that one may take.
    Then none of its slots is given to another server before it was cleaned.
    """

    def clean(self, slot: Slot) -> bool:
        """Clean a slot, and return when that is done.

        It is called in a thread of its own, for several slots at a time. It
        may be called again for a slot that is clean already. It must end in
        good time, and must not clean a slot twice at once, even if
        cyborg-agent was restarted in between.

        :param slot: the slot.
        :returns: whether the device is one of this driver's; the next driver
            is asked if it is not.
        :raises CleaningUnderWay: if the slot is being cleaned already.
        :raises Exception: any other one if it failed, with the reason for the
            operator to read.
        """


class Cleaner:
    """What cleans the slots of a host, each once at a time.

    :param drivers: the drivers of the agent.
    :param conductor: Cyborg's conductor.
    """

    def __init__(
        self,
        drivers: collections.abc.Sequence[object],
        conductor: rpcapi.ConductorAPI,
    ) -> None:
        self._drivers = drivers
        self._conductor = conductor
        self._executor = concurrent.futures.ThreadPoolExecutor(
            _THREADS, thread_name_prefix='nova-cyborg-cleaning'
        )
        self._lock = threading.Lock()
        self._running: set[str] = set()
        # What has ended and cyborg-conductor could not be told of.
        self._untold: dict[tuple[str, str], str | None] = {}

    def begin(
        self, context: cyborg_context.RequestContext, slot: Slot
    ) -> concurrent.futures.Future[None] | None:
        """Begin to clean a slot, unless that was begun already.

        :param slot: the slot.
        :returns: what ends when the conductor was told of it; None if it was
            begun already.
        """
        with self._lock:
            if slot.handle_id in self._running:
                return None
            self._running.add(slot.handle_id)
        return self._executor.submit(self._run, context, slot)

    def _run(self, context: cyborg_context.RequestContext, slot: Slot) -> None:
        try:
            if slot.cleaning not in self._untold:
                if not self._is_wanted(context, slot):
                    return
                self._untold[slot.cleaning] = self._clean(slot)
            self._tell(context, slot)
        except exception.CleaningUnderWay as exc:
            # By a program that an earlier agent has started.
            LOG.info('%s', exc)
        except Exception as exc:  # noqa: BLE001
            # Whatever the conductor raises, or the message bus. Nothing is
            # lost: the next report of the host has it begun again.
            LOG.debug('cyborg-conductor does not answer: %s', exc)
        finally:
            with self._lock:
                self._running.discard(slot.handle_id)

    def _is_wanted(
        self, context: cyborg_context.RequestContext, slot: Slot
    ) -> bool:
        """Ask whether the slot is still to be cleaned.

        The word to begin may have come late, and a server have the slot.
        """
        return bool(
            self._conductor.client.prepare().call(
                context,
                'is_to_be_cleaned',
                handle_id=slot.handle_id,
                cleaning_id=slot.cleaning_id,
            )
        )

    def _clean(self, slot: Slot) -> str | None:
        """Clean a slot.

        :returns: why it failed; None if it did not.
        """
        LOG.info(
            'Cleaning slot %s of attach handle %s', slot.name, slot.handle_id
        )
        try:
            for driver in self._drivers:
                clean = getattr(driver, 'clean', None)
                if clean is not None and clean(slot):
                    return None
        except exception.CleaningUnderWay:
            raise
        except Exception as exc:  # noqa: BLE001
            # Of any kind: drivers may be of other projects.
            return (str(exc) or type(exc).__name__)[:_MOST_SAID]
        return 'No driver of cyborg-agent on this host cleans the device.'

    def _tell(
        self, context: cyborg_context.RequestContext, slot: Slot
    ) -> None:
        self._conductor.client.prepare().call(
            context,
            'end_cleaning',
            handle_id=slot.handle_id,
            cleaning_id=slot.cleaning_id,
            error=self._untold[slot.cleaning],
        )
        del self._untold[slot.cleaning]
