# SPDX-License-Identifier: Apache-2.0

"""Guests that take their devices with them when they are migrated."""

from tests.functional.nova.moves import running  # isort: skip - first

import dataclasses
import typing as ty

import fixtures
from nova.virt.libvirt import host

from tests.functional.nova import base


class Guests(running.Guests):
    """Guests are given a device's new slot, and not its new alias.

    :ivar able: whether libvirt can do it.
    """

    LIVE_MIGRATION = 'native'
    able = True

    def setUp(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{host.__name__}.Host.has_min_version',
                lambda *_args, **_kwargs: self.able,
            )
        )
        super().setUp()
        self.guest_moves.with_devices = True

    def hostdevs(self, server: dict[str, ty.Any]) -> list[base.Hostdev]:
        """Return the devices that a guest has, without their aliases."""
        return [
            dataclasses.replace(each, alias=None)
            for each in super().hostdevs(server)
        ]

    def hostdev(self, device: dict[str, ty.Any]) -> base.Hostdev:
        """Return what a guest has, without the alias."""
        return dataclasses.replace(super().hostdev(device), alias=None)
