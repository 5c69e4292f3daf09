# SPDX-License-Identifier: Apache-2.0

"""Waiting until the cloud has healed itself, and how long that takes.

Nothing is repaired: servers are deleted, as their users would, and the damage
is looked at until there is none.
"""

import configparser
import dataclasses
import pathlib
import time

from tools.command_line import progress
from tools.seldom.chaos.actors import administrator
from tools.seldom.chaos.damage import count, looking

# The reconciler's lease (30 s), its interval (10 s) and its grace (15 s), and
# a look.
_DAMAGE_SECONDS = 60.0
# A nova-conductor looks for interrupted builds each 30 s; another one follows
# it after 75 s, and what it ends is to be deleted.
_BUILD_MARGIN = 120.0
# That of nova_cyborg, which nova.conf need not have.
_INTERRUPTED_AFTER = 420.0


@dataclasses.dataclass(frozen=True)
class Bounds:
    """How long it may take, from when all services are up.

    :ivar damage: seconds until nothing is lost, leaked or doubled.
    :ivar builds: seconds until no server is being built.
    """

    damage: float
    builds: float

    @classmethod
    def of_cloud(cls, folder: pathlib.Path) -> 'Bounds':
        """Return those of a cloud that heals itself.

        :param folder: the cloud's folder.
        """
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(folder / 'etc' / 'nova' / 'nova.conf')
        interrupted = parser.getfloat(
            'nova_cyborg',
            'build_interrupted_after',
            fallback=_INTERRUPTED_AFTER,
        )
        return cls(_DAMAGE_SECONDS, interrupted + _BUILD_MARGIN)

    @classmethod
    def of_stock(cls) -> 'Bounds':
        """Return those of what nobody heals: what is slow is waited for."""
        return cls(_DAMAGE_SECONDS, administrator.SLOW_SECONDS)


@dataclasses.dataclass(frozen=True)
class Healing:
    """What became of the damage.

    :ivar seconds: seconds until there was none; None if there is some.
    :ivar in_time: whether that was in time.
    :ivar damage: what there is at the end.
    :ivar never_ended: UUIDs of servers that were being built until the end.
    :ivar undeletable: UUIDs of servers that cannot be deleted.
    """

    seconds: float | None
    in_time: bool
    damage: count.Damage
    never_ended: list[str]
    undeletable: list[str]

    def __bool__(self) -> bool:
        return self.in_time and not (
            self.damage or self.never_ended or self.undeletable
        )


class Waiting:
    """Waits, from the moment at which it is made.

    :param helper: who has the servers deleted.
    :param counter: what counts the damage.
    :param bounds: how long it may take.
    :param report: where to tell what is seen.
    """

    def __init__(
        self,
        helper: administrator.Administrator,
        counter: count.Count,
        bounds: Bounds,
        report: progress.Progress,
    ) -> None:
        self._helper = helper
        self._counter = counter
        self._bounds = bounds
        self._report = report
        self._start = time.monotonic()
        # Since when there is no damage, until servers that were built late
        # are deleted, which takes a while again.
        self._clean: float | None = None
        self._settled = False
        self._never_ended: frozenset[str] | None = None

    def wait(self) -> Healing:
        """Wait until there is no damage, and no server.

        :returns: what was seen, at the latest when the bounds have passed.
        """
        end = self._bounds.builds + self._bounds.damage
        while True:
            seconds = time.monotonic() - self._start
            servers = self._servers(seconds)
            damage = looking.look(self._counter)
            self._take(seconds, servers, damage)
            healed = damage is not None and not damage and servers is not None
            if (healed and not servers) or seconds > end:
                break
            time.sleep(looking.PAUSE)
        left = servers or administrator.Servers()
        return Healing(
            self._clean,
            self._clean is not None and self._clean <= self._bounds.damage,
            self._counter.damage() if damage is None else damage,
            sorted(self._never_ended or ()),
            sorted(left.deleting | left.unbuilt),
        )

    def _servers(self, seconds: float) -> administrator.Servers | None:
        self._helper.look_after()
        late = seconds > self._bounds.builds
        servers = self._helper.clear(spare=not late)
        if late and servers is not None and self._never_ended is None:
            self._never_ended = servers.unbuilt
        return servers

    def _take(
        self,
        seconds: float,
        servers: administrator.Servers | None,
        damage: count.Damage | None,
    ) -> None:
        if not self._settled:
            if damage is None or damage:
                self._clean = None
            elif self._clean is None:
                self._clean = seconds
            self._settled = (
                self._clean is not None
                and servers is not None
                and not servers.deleting
            )
        what = 'Nova does not answer'
        if servers is not None:
            building = len(servers.building | servers.unbuilt)
            what = f'{building} being built, {len(servers.deleting)} deleted'
        lines = [
            f'{seconds:.0f} s after all services were up: '
            f'{looking.words(damage)}; servers: {what}'
        ]
        if damage and not self._settled and seconds > self._bounds.damage:
            # It may be gone at the end, and was there for too long.
            lines += damage.lines()
        for line in lines:
            with self._report.step(line):
                pass
