# SPDX-License-Identifier: Apache-2.0

"""What is asked of ``up``, and the settings that come of it."""

import collections.abc
import dataclasses
import math
import pathlib
import secrets

from tools.cloud import exception, kinds
from tools.cloud.machine import ports
from tools.cloud.model import kind as cloud_kind
from tools.cloud.model import settings as cloud_settings


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A cloud that somebody wants; the kind decides what is None.

    :ivar kind: embedded, passthrough or production.
    :ivar computes: how many compute hosts there are, beside ``real``.
    :ivar real: how many further ones have a real hypervisor.
    :ivar database: the kind of database, of those that the kind has.
    :ivar devices: lists of accelerators, one for each host, ``real`` last.
        Without the plugin, there are none but those that are given.
    :ivar plugin: whether to load nova_cyborg.
    :ivar conductors: how many cyborg-conductors there are.
    :ivar nova_options: what nova.conf says beside what it says in each cloud:
        section, option and value.
    :ivar cyborg_options: the same of cyborg.conf.
    :ivar seconds: how long ``up`` may take.
    :raises BadNumber: if a number of hosts, of conductors or of seconds is
        none.
    """

    kind: str = kinds.EMBEDDED
    computes: int | None = None
    real: int | None = None
    database: str | None = None
    devices: collections.abc.Sequence[pathlib.Path] = ()
    plugin: bool = True
    seconds: float | None = None
    conductors: int = 1
    nova_options: dict[str, dict[str, str]] = dataclasses.field(
        default_factory=dict
    )
    cyborg_options: dict[str, dict[str, str]] = dataclasses.field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        if self.computes is not None and self.computes < 1:
            raise exception.BadNumber('computes', self.computes, '1 or more')
        if self.real is not None and self.real < 0:
            raise exception.BadNumber('real', self.real, '0 or more')
        if self.conductors < 1:
            raise exception.BadNumber(
                'conductors', self.conductors, '1 or more'
            )
        if self.seconds is not None and not (
            math.isfinite(self.seconds) and self.seconds > 0
        ):
            raise exception.BadNumber(
                'seconds', self.seconds, 'above 0, and have an end'
            )

    def settings(self) -> cloud_settings.Settings:
        """Make the cloud's settings, with ports and passwords of their own.

        :returns: the settings.
        :raises UnknownKind: if there is no such kind.
        :raises BadDatabase: if its kind has no such database.
        :raises NoRealHosts: if its kind has no real hypervisors.
        :raises TooManyHosts: if its kind has no more hosts than some.
        :raises BadNumber: if its kind has no more conductors than some.
        """
        kind = kinds.of(self.kind)
        computes, real = self._computes(kind), self._real(kind)
        real_hosts = [f'real{n}' for n in range(1, real + 1)]
        listeners = (*cloud_settings.SERVICES, 'supervisor', *kind.listeners)
        return cloud_settings.Settings(
            kind=self.kind,
            database=self._database(kind),
            hosts=[f'compute{n}' for n in range(1, computes + 1)] + real_hosts,
            plugin=self.plugin,
            ports=dict(
                zip(listeners, ports.choose(len(listeners)), strict=True)
            ),
            passwords={
                name: secrets.token_urlsafe(16)
                for name in (*listeners, *cloud_settings.PEOPLE)
            },
            real_hosts=real_hosts,
            conductors=self._conductors(kind),
            nova_options=self.nova_options,
            cyborg_options=self.cyborg_options,
            lists_devices=self.plugin or bool(self.devices),
        )

    def _database(self, kind: cloud_kind.Kind) -> str:
        chosen = self.database or kind.databases[0]
        if chosen not in kind.databases:
            raise exception.BadDatabase(self.kind, chosen, kind.databases)
        return chosen

    def _conductors(self, kind: cloud_kind.Kind) -> int:
        if self.conductors > kind.max_conductors:
            raise exception.BadNumber(
                'conductors', self.conductors, f'{kind.max_conductors} or less'
            )
        return self.conductors

    def _computes(self, kind: cloud_kind.Kind) -> int:
        computes = self.computes or kind.default_computes
        if computes > kind.max_computes:
            raise exception.TooManyHosts(self.kind, kind.max_computes)
        return computes

    def _real(self, kind: cloud_kind.Kind) -> int:
        if self.real and kind.default_real is None:
            raise exception.NoRealHosts(self.kind)
        real = (kind.default_real or 0) if self.real is None else self.real
        if real > kind.max_computes:
            raise exception.TooManyHosts(self.kind, kind.max_computes)
        return real
