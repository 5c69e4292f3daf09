# SPDX-License-Identifier: Apache-2.0

"""A look of the audit: what all subjects of it share, and what they find."""

import collections.abc
import dataclasses
import functools

from cyborg import context as cyborg_context

from nova_cyborg.db import arqs
from nova_cyborg.lifecycle import nova, placement


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that disagrees.

    :ivar kind: what disagrees, a stable name.
    :ivar subject: what it is about: a UUID, or a name.
    :ivar detail: a sentence.
    :ivar repair: puts it right; None if only a person can.
    """

    kind: str
    subject: str
    detail: str
    repair: collections.abc.Callable[[], None] | None = dataclasses.field(
        default=None, compare=False
    )


@dataclasses.dataclass(frozen=True)
class Provider:
    """A resource provider of devices, as Cyborg and Placement know it.

    :ivar uuid: its UUID.
    :ivar in_cyborg: what servers use of it, by their UUIDs.
    :ivar in_placement: how many units are allocated, by resource class, by
        UUID of the consumer, as of a server or of its migration.
    """

    uuid: str
    in_cyborg: collections.abc.Mapping[str, arqs.Use]
    in_placement: collections.abc.Mapping[
        str, collections.abc.Mapping[str, int]
    ]

    def allocated(self, consumer: str) -> int:
        """Tell how many units are allocated to a consumer.

        :param consumer: its UUID.
        :returns: how many, of all resource classes.
        """
        return sum(self.in_placement.get(consumer, {}).values())


class Look:
    """One look: Nova is asked once for each server.

    :ivar context: for the database.
    :ivar nova: what Nova says during this look. A repair asks anew.
    """

    def __init__(self) -> None:
        self.context = cyborg_context.get_admin_context()
        self.nova = nova.Nova()

    @functools.cached_property
    def placement(self) -> placement.Placement:
        """Placement; it is a failure if it cannot be reached."""
        return placement.Placement()

    @functools.cached_property
    def providers(self) -> list[Provider]:
        """All resource providers of devices."""
        client = self.placement
        return [
            Provider(uuid, in_cyborg, client.consumers(uuid))
            for uuid, in_cyborg in arqs.by_provider(self.context).items()
        ]
