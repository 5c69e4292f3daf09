# SPDX-License-Identifier: Apache-2.0

"""The devices file: YAML that lists the accelerators of a host.

``etc/nova-cyborg/devices.yaml.sample`` describes the format.
"""

import collections.abc
import pathlib

import yaml
from oslo_log import log as logging

from nova_cyborg import exception
from nova_cyborg.cyborg.agent import devices

#: The largest file that is read, in bytes.
MAX_SIZE = 1024 * 1024

LOG = logging.getLogger(__name__)


class DevicesFile:
    """The devices that a file lists, now.

    The first time, the file must be good. From then on a file that cannot
    be read or understood changes nothing: Cyborg's conductor removes the
    devices that are not reported, and does not look first whether servers
    use them. A slip of the pen must not lead to that.
    """

    def __init__(self, path: str) -> None:
        """Read the file.

        :param path: the file's path.
        :raises InvalidDevicesFile: if it cannot be read or understood.
        """
        self._path = path
        self._content = _read(path)
        self._devices = parse(path, self._content)
        self._complaint: str | None = None
        LOG.info('Devices file %s lists %d devices.', path, len(self._devices))

    def devices(self) -> tuple[devices.Device, ...]:
        """Return the devices, after a look at whether the file changed.

        An error is logged once, not at each look.

        :returns: the devices of the file's last good content.
        """
        try:
            self._refresh()
        except exception.InvalidDevicesFile as error:
            if self._complaint != str(error):
                self._complaint = str(error)
                LOG.error(
                    '%s The %d devices read before are still reported.',
                    error,
                    len(self._devices),
                )
        return self._devices

    def _refresh(self) -> None:
        # The content is compared and not the time of change: it is small,
        # read once a minute, and two changes can have the same time.
        content = _read(self._path)
        if content == self._content and self._complaint is None:
            return
        self._devices = parse(self._path, content)
        self._content = content
        self._complaint = None
        LOG.info(
            'Devices file %s was read again, it lists %d devices.',
            self._path,
            len(self._devices),
        )


def parse(path: str, content: bytes) -> tuple[devices.Device, ...]:
    """Read and check the content of a devices file.

    :param path: the file's path, for error messages.
    :param content: the file's content.
    :returns: the devices, in the file's order.
    :raises InvalidDevicesFile: naming the entry that is wrong.
    """
    entries = _entries(path, content)
    owners: dict[str, str] = {}
    parsed = []
    for number, entry in enumerate(entries, 1):
        name = _name(number, entry)
        try:
            device = devices.parse_device(entry)
            _claim(device, name, owners)
        except exception.InvalidRequest as error:
            reason = f'{error.kwargs["field"]}: {error.kwargs["reason"]}'
            raise _invalid(path, name, reason) from error
        parsed.append(device)
    return tuple(parsed)


def _read(path: str) -> bytes:
    try:
        with pathlib.Path(path).open('rb') as stream:
            content = stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise _invalid(
            path,
            'the file',
            f'cannot be read: {error.strerror}. Make it, or set '
            '[nova_cyborg] devices_file in cyborg.conf.',
        ) from error
    if len(content) > MAX_SIZE:
        raise _invalid(path, 'the file', f'is larger than {MAX_SIZE} bytes.')
    return content


def _entries(path: str, content: bytes) -> list[object]:
    try:
        document = yaml.safe_load(content)
    # ValueError: an impossible date, say; RecursionError: deep nesting.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = ' '.join(str(error).split())
        raise _invalid(path, 'the file', f'is not YAML: {reason}') from error
    if not isinstance(document, collections.abc.Mapping) or set(document) != {
        'devices'
    }:
        raise _invalid(
            path, 'the file', 'must have one field, "devices", and no other.'
        )
    entries = document['devices']
    # Nothing there is taken for a file that is not finished.
    if not isinstance(entries, list):
        raise _invalid(
            path, 'devices', 'must be a list; "[]" if there are none.'
        )
    return entries


def _name(number: int, entry: object) -> str:
    address = None
    if isinstance(entry, collections.abc.Mapping):
        address = entry.get('address')
    if not isinstance(address, str):
        return f'device {number}'
    return f'device {number} ({address[:16]})'


def _claim(device: devices.Device, name: str, owners: dict[str, str]) -> None:
    """Note which addresses a device has, if no device has them yet."""
    # Sorted, so that the same file has always the same message.
    for address in sorted(device.claims):
        if address in owners:
            field = 'address' if address == device.address else 'handles'
            raise exception.InvalidRequest(
                field=field,
                reason=f'{address} belongs to {owners[address]} already.',
            )
        owners[address] = name


def _invalid(
    path: str, entry: str, reason: str
) -> exception.InvalidDevicesFile:
    return exception.InvalidDevicesFile(path=path, entry=entry, reason=reason)
