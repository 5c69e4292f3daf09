# SPDX-License-Identifier: Apache-2.0

"""What a project may have, and the check that it has no more."""

import collections.abc
import dataclasses

from cyborg import context as cyborg_context
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db.limits import usage

#: The resource that device contexts are, to Keystone.
CONTEXTS = 'device_contexts'
#: How the resources begin that units of resource classes are, as Nova's do.
CLASS_PREFIX = 'class:'
#: The limit of what has none.
UNLIMITED = -1

_Contexts = collections.abc.Iterable[model.DeviceContext]


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a project may have.

    :ivar project_id: the project.
    :ivar most: how much, by resource; what is not named is not limited, as
        what is below zero.
    """

    project_id: str
    most: collections.abc.Mapping[str, int] = dataclasses.field(
        default_factory=dict
    )

    def of(self, resource: str) -> int:
        """Return the limit of a resource.

        :param resource: its name.
        :returns: the limit; :data:`UNLIMITED` if there is none.
        """
        return max(self.most.get(resource, UNLIMITED), UNLIMITED)

    def check(self, resource: str, used: int, asked: int) -> None:
        """Check that there is room for more of a resource.

        :param resource: its name.
        :param used: how much the project has.
        :param asked: how much more it is to have.
        :raises LimitReached: if it would have too much.
        """
        most = self.of(resource)
        if most != UNLIMITED and used + asked > most:
            raise exception.LimitReached(
                resource=resource, limit=most, used=used, asked=asked
            )

    def check_unheld(
        self, context: cyborg_context.RequestContext, new: _Contexts
    ) -> None:
        """Check device contexts that a server might get.

        :param new: device contexts of the project that no server holds.
        :raises LimitReached: if they ask for too much.
        """
        asked = self._asked(new)
        if asked:
            used = usage.accelerators(context, self.project_id)
            self._check_all(used, asked)

    def lock(self, db: orm.Session) -> None:
        """Let no other server of the project get devices until the end.

        :param db: the session of a transaction that begins with this.
        """
        if self._limited_classes():
            usage.lock(db, self.project_id)

    def check_held(self, db: orm.Session, new: _Contexts) -> None:
        """Check device contexts that a server has got just now.

        :param db: the transaction's session, which has called :meth:`lock`.
        :param new: the device contexts; they are held already.
        :raises LimitReached: if they ask for too much.
        """
        asked = self._asked(new)
        if asked:
            found = usage.count_accelerators(db, self.project_id)
            used = {
                name: found.get(name, 0) - amount
                for name, amount in asked.items()
            }
            self._check_all(used, asked)

    def _check_all(
        self,
        used: collections.abc.Mapping[str, int],
        asked: collections.abc.Mapping[str, int],
    ) -> None:
        for name, amount in sorted(asked.items()):
            self.check(f'{CLASS_PREFIX}{name}', used.get(name, 0), amount)

    def _asked(self, new: _Contexts) -> dict[str, int]:
        """Return what is limited of what device contexts ask for."""
        limited = self._limited_classes()
        if not limited:
            return {}
        asked = model.amounts(group for each in new for group in each.groups)
        return {
            name: amount for name, amount in asked.items() if name in limited
        }

    def _limited_classes(self) -> set[str]:
        return {
            name.removeprefix(CLASS_PREFIX)
            for name in self.most
            if name.startswith(CLASS_PREFIX) and self.of(name) != UNLIMITED
        }
