# SPDX-License-Identifier: Apache-2.0

"""Guests as the fake libvirt has them: Nova's own fake domain, extended.

Nova's own knows one definition of a guest, makes it anew from the little that
it reads of it, and migrates none. This one has what is stored and what runs
apart, and does with devices as libvirt does.
"""

import typing as ty
import urllib.parse

from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt

from tools.cloud.fakes import definitions, domains

_STATES = {
    False: fakelibvirt.VIR_DOMAIN_RUNNING,
    True: fakelibvirt.VIR_DOMAIN_PAUSED,
}
# Of libvirt's own, which Nova's has not.
_ERR_DOM_EXIST = 42
_ERR_NO_CONNECT = 38


class Domain(fakelibvirt.Domain):
    """A guest of a host.

    :param connection: the host's hypervisor.
    :param guest: what it knows of the guest.
    """

    def __init__(self, connection: ty.Any, guest: domains.Guest) -> None:
        super().__init__(connection, guest.stored)
        self._stored = _stored(guest.stored)
        self._live = _definition(guest.live)
        self._saved = _definition(guest.saved)
        if self._live is not None:
            self._state = _STATES[guest.paused]

    def redefine(self, xml: str) -> None:
        """Change what the guest is started with; what runs goes on.

        :param xml: the definition.
        """
        self._def = self._parse_definition(xml)
        self._stored = _stored(xml)

    def keep(self) -> None:
        """Have the host keep what is known of the guest."""
        with self._connection.lock:
            if self._connection.has(self):
                self._connection.store.write(self.UUIDString(), self._guest())

    def hostdevs(self) -> set[str]:
        """Return the slots of the host's devices that the guest has now."""
        if self._live is None:
            return set()
        return {definitions.slot(each) for each in self._live.hostdevs()}

    def _guest(self) -> domains.Guest:
        return domains.Guest(
            self._stored.xml,
            None if self._live is None else self._live.xml,
            None if self._saved is None else self._saved.xml,
            self._state == fakelibvirt.VIR_DOMAIN_PAUSED,
        )

    def XMLDesc(self, flags: int) -> str:  # noqa: N802
        """Return what runs, or what is stored."""
        inactive = flags & fakelibvirt.VIR_DOMAIN_XML_INACTIVE
        if self._live is None or inactive:
            return self._stored.xml
        return self._live.xml

    def isActive(self) -> int:  # noqa: N802
        """Tell whether the guest runs; one that is paused does."""
        return int(self._live is not None)

    # What is done to it

    def createWithFlags(self, flags: int) -> None:  # noqa: N802
        """Start the guest, from what was saved if there is that."""
        self.verify_hostdevs_interface_are_vfs()
        with self._connection.lock:
            live = self._saved or self._stored.start()
            self._live, self._saved = live, None
            self._state = _STATES[
                bool(flags & fakelibvirt.VIR_DOMAIN_START_PAUSED)
            ]
            self.keep()
        self._connection._mark_running(self)

    def destroy(self) -> None:
        """Stop the guest."""
        with self._connection.lock:
            self._live = None
            self._state = fakelibvirt.VIR_DOMAIN_SHUTOFF
            self.keep()
        self._connection._mark_not_running(self)

    def shutdown(self) -> None:
        """Have the guest end, which it does at once."""
        self.destroy()

    def suspend(self) -> None:
        """Pause the guest."""
        super().suspend()
        self.keep()

    def resume(self) -> None:
        """Have a paused guest go on."""
        super().resume()
        self.keep()

    def managedSave(self, flags: int) -> None:  # noqa: N802
        """Save the guest, and stop it."""
        self._refuse_hostdevs()
        self._saved = self._live
        self.destroy()

    def managedSaveRemove(self, flags: int = 0) -> None:  # noqa: N802
        """Remove what was saved."""
        self._saved = None
        self.keep()

    def hasManagedSaveImage(self, flags: int) -> int:  # noqa: N802
        """Tell whether something was saved."""
        return int(self._saved is not None)

    def undefineFlags(self, flags: int) -> None:  # noqa: N802
        """Remove the guest, with what was saved."""
        self.undefine()

    # Its devices

    def attachDeviceFlags(self, xml: str, flags: int) -> None:  # noqa: N802
        """Plug a device in, and store it."""
        element = etree.fromstring(xml)
        with self._connection.lock:
            meant = self._meant(flags)
            for definition in meant:
                if definition.has(element):
                    raise _invalid(
                        f'{definitions.describe(element)} is already in the '
                        'domain configuration'
                    )
            try:
                for definition in meant:
                    definition.attach(element, definition is self._live)
            except LookupError as exc:
                raise error(
                    f'internal error: {exc.args[0]}',
                    fakelibvirt.VIR_ERR_INTERNAL_ERROR,
                ) from exc
            self.keep()

    def detachDeviceFlags(self, xml: str, flags: int) -> None:  # noqa: N802
        """Unplug a device, and store that it is not there.

        A guest lets go of it at once; that it has is told by an event.
        """
        element = etree.fromstring(xml)
        with self._connection.lock:
            meant = self._meant(flags)
            for definition in meant:
                if not definition.has(element):
                    raise error(
                        f'device not found: {definitions.describe(element)}',
                        fakelibvirt.VIR_ERR_DEVICE_MISSING,
                    )
            for definition in meant:
                alias = definition.detach(element)
                if definition is self._live:
                    self._connection.emit_removed(self, alias)
            self.keep()

    def _meant(self, flags: int) -> list[definitions.Definition]:
        """Return the definitions that flags mean."""
        affected = flags or (
            fakelibvirt.VIR_DOMAIN_AFFECT_LIVE
            if self._live is not None
            else fakelibvirt.VIR_DOMAIN_AFFECT_CONFIG
        )
        found = []
        if affected & fakelibvirt.VIR_DOMAIN_AFFECT_CONFIG:
            found.append(self._stored)
        if affected & fakelibvirt.VIR_DOMAIN_AFFECT_LIVE:
            if self._live is None:
                raise _invalid('domain is not running')
            found.append(self._live)
        return found

    def _refuse_hostdevs(self) -> None:
        if self.hostdevs():
            raise _invalid(
                'cannot migrate a domain with assigned host devices: '
                f'{", ".join(sorted(self.hostdevs()))}'
            )

    # To another host

    def migrateToURI3(  # noqa: N802
        self, dconnuri: str, params: dict[str, ty.Any], flags: int
    ) -> None:
        """Migrate the guest while it runs; its disks are on shared storage."""
        self._refuse_hostdevs()
        host = urllib.parse.urlsplit(dconnuri).hostname or ''
        there = self._connection.store.of_host(host)
        if there is None:
            raise error(
                f'unable to connect to server at {host!r}', _ERR_NO_CONNECT
            )
        if self.UUIDString() in there.server_ids():
            raise error(
                f'domain {self.name()!r} already exists with uuid '
                f'{self.UUIDString()}',
                _ERR_DOM_EXIST,
            )
        there.write(
            self.UUIDString(),
            domains.Guest(
                _stored(params['persistent_xml']).xml,
                _stored(params['destination_xml']).start().xml,
                paused=self._state == fakelibvirt.VIR_DOMAIN_PAUSED,
            ),
        )
        self.destroy()
        self.undefine()
        # Nova asks for it, and goes on at once.
        self.complete_job()


def error(message: str, code: int) -> Exception:
    """Make an error of libvirt's.

    :param message: what libvirt says.
    :param code: libvirt's number of it.
    :returns: the error.
    """
    made: Exception = fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError,
        message,
        error_code=code,
        error_domain=fakelibvirt.VIR_FROM_QEMU,
        error_message=message,
    )
    return made


def _invalid(message: str) -> Exception:
    return error(
        f'Requested operation is not valid: {message}',
        fakelibvirt.VIR_ERR_OPERATION_INVALID,
    )


def _stored(xml: str) -> definitions.Definition:
    return definitions.Definition(xml).store()


def _definition(xml: str | None) -> definitions.Definition | None:
    return None if xml is None else definitions.Definition(xml)
