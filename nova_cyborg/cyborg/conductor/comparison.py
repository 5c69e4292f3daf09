# SPDX-License-Identifier: Apache-2.0

"""Stock Cyborg's comparison of devices, which keeps what servers have."""

from __future__ import annotations

import collections.abc
import typing as ty

from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.common import placement_client
from cyborg.conductor import manager
from cyborg.objects.driver_objects import driver_attribute

from nova_cyborg import model
from nova_cyborg.db.inventory import slots

# The first of Placement with traits.
_TRAITS_VERSION = '1.6'
_Attribute: ty.TypeAlias = driver_attribute.DriverAttribute


class Comparison(manager.ConductorManager):
    """Stock Cyborg's comparison of devices with what is recorded.

    :param client: Cyborg's client of Placement.
    :param root: UUID of the host's resource provider, which stock Cyborg
        asks for each time.
    """

    def __init__(
        self, client: placement_client.PlacementClient, root: str
    ) -> None:
        self.placement_client = _Client(client)
        self.root = root

    def _get_root_provider(self, context: object, hostname: object) -> str:
        return self.root

    def drv_attr_make_diff(
        self,
        context: cyborg_context.RequestContext,
        dep_id: int,
        old_driver_attr_list: collections.abc.Iterable[_Attribute],
        new_driver_attr_list: collections.abc.Iterable[_Attribute],
    ) -> None:
        """Record the attributes of a deployable.

        Stock Cyborg makes a trait of each one that comes or goes.

        :param dep_id: row id of the deployable.
        :param old_driver_attr_list: the attributes that are recorded.
        :param new_driver_attr_list: those of the report.
        """
        old, old_others = _of_cleaning(old_driver_attr_list)
        new, new_others = _of_cleaning(new_driver_attr_list)
        super().drv_attr_make_diff(context, dep_id, old_others, new_others)
        if new and not old:
            new[0].create(context, dep_id)
        elif old and not new:
            old[0].delete_by_key(context, dep_id, old[0].key)
        elif old and new and old[0].value != new[0].value:
            # In place: what is given back meanwhile is to be cleaned.
            found = objects.Attribute.get_by_dep_key(
                context, dep_id, old[0].key
            )
            found.value = new[0].value
            found.save(context)

    @classmethod
    def drv_ah_make_diff(
        cls,
        context: cyborg_context.RequestContext,
        dep_id: int,
        cpid_id: int,
        old_driver_ah_list: collections.abc.Iterable[ty.Any],
        new_driver_ah_list: collections.abc.Iterable[ty.Any],
    ) -> None:
        """Record the attach handles of a deployable.

        Stock Cyborg looks for the handle of an address by the deployable
        alone: it deletes, or changes, the one that was made last.

        :param dep_id: row id of the deployable.
        :param cpid_id: row id of its device's control path.
        :param old_driver_ah_list: the handles that are recorded.
        :param new_driver_ah_list: those of the report.
        """
        old = {handle.attach_info: handle for handle in old_driver_ah_list}
        new = {handle.attach_info: handle for handle in new_driver_ah_list}
        slots.remove(context, dep_id, old.keys() - new.keys())
        for text, handle in new.items():
            if text not in old:
                handle.create(context, dep_id, cpid_id)
            elif handle.attach_type != old[text].attach_type:
                slots.change_type(context, dep_id, text, handle.attach_type)


def _of_cleaning(
    attributes: collections.abc.Iterable[_Attribute],
) -> tuple[list[_Attribute], list[_Attribute]]:
    """Return the attribute that says that slots are cleaned, and the others.

    :returns: a list of one or none, and a list of all others.
    """
    found = list(attributes)
    mine = [each for each in found if each.key == model.CLEANING_ATTRIBUTE]
    return mine[:1], [each for each in found if each not in mine]


class _Client:
    """A client of Placement that leaves the inventories to the report.

    Stock Cyborg writes the inventory of a device before its slots are
    recorded, as if all of them were to be given. Here it is noted, and
    written once they are, as :mod:`nova_cyborg.lifecycle.inventory` reckons
    it: until then, no more is offered than before.

    :param client: Cyborg's client.
    :ivar changed: UUIDs of the resource providers whose inventories are to be
        written.
    :ivar unused_classes: names of resource classes that a device has lost.
    """

    def __init__(self, client: placement_client.PlacementClient) -> None:
        self._client = client
        self.changed: set[str] = set()
        self.unused_classes: set[str] = set()

    def __getattr__(self, name: str) -> ty.Any:
        return getattr(self._client, name)

    def update_inventory(
        self, resource_provider_uuid: str, *_args: ty.Any, **_kwargs: ty.Any
    ) -> None:
        """Note that an inventory is to be written."""
        self.changed.add(resource_provider_uuid)

    def add_traits_to_rp(
        self, resource_provider_uuid: str, names: list[str]
    ) -> None:
        """Add traits to a resource provider, which others may make, too.

        To stock Cyborg it is an error if the report of another host makes a
        trait first: the device would come a minute later.
        """
        for name in names:
            path = f'/traits/{name}'
            if not self._client.get(path, version=_TRAITS_VERSION):
                self._client.put(path, None, version=_TRAITS_VERSION)
        self._client.add_traits_to_rp(resource_provider_uuid, names)

    def delete_rc_by_name(self, context: object, name: str) -> None:
        """Note that a class is to be deleted, unless another device has it.

        Placement deletes none that an inventory has.
        """
        self.unused_classes.add(name)

    def delete_unused_classes(
        self, context: cyborg_context.RequestContext
    ) -> None:
        """Delete the classes that were noted, as far as Placement does it."""
        for name in sorted(self.unused_classes):
            self._client.delete_rc_by_name(context, name)
