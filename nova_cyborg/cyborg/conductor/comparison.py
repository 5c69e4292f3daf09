# SPDX-License-Identifier: Apache-2.0

"""Stock Cyborg's comparison of devices, which keeps what servers have."""

from __future__ import annotations

import collections.abc
import logging
import math
import typing as ty

from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.common import exception, placement_client
from cyborg.conductor import manager
from cyborg.objects.driver_objects import driver_attribute, driver_deployable
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg import model
from nova_cyborg.db.inventory import slots

LOG = logging.getLogger(__name__)

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

    def reserve(self, kept: collections.abc.Iterable[slots.Slot]) -> None:
        """Note the slots that are not to be given, though they are recorded.

        :param kept: slots that stay, or are of devices in maintenance.
        """
        for slot in kept:
            if slot.maintained:
                self.placement_client.reserve(self._provider(slot), None)
            elif not slot.of_arq:
                self.placement_client.reserve(self._provider(slot), 1)

    def _provider(self, slot: slots.Slot) -> str:
        named = driver_deployable.DriverDeployable(name=slot.deployable)
        return str(self.get_rp_uuid_from_obj(named))


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
    """A client of Placement that reserves what is not to be given.

    Stock Cyborg writes the inventory of a device as if all its slots were to
    be given, each time that their number changes.

    :param client: Cyborg's client.
    """

    def __init__(self, client: placement_client.PlacementClient) -> None:
        self._client = client
        self._reserved: dict[str, float] = {}

    def __getattr__(self, name: str) -> ty.Any:
        return getattr(self._client, name)

    def reserve(self, provider: str, count: int | None) -> None:
        """Reserve slots of a resource provider.

        :param provider: its UUID.
        :param count: how many more; None for all that it has.
        """
        more = math.inf if count is None else count
        self._reserved[provider] = self._reserved.get(provider, 0) + more

    def update_inventory(
        self,
        resource_provider_uuid: str,
        inventories: dict[str, dict[str, int]],
        *args: ty.Any,
        **kwargs: ty.Any,
    ) -> ty.Any:
        """Write an inventory, with what is reserved of it.

        One that fails is no reason to leave the slots as they are: it is
        written again when they are recorded.
        """
        reserved = self._reserved.get(resource_provider_uuid, 0)
        for each in inventories.values():
            each['reserved'] = int(min(reserved, each['total']))
        try:
            return self._client.update_inventory(
                resource_provider_uuid, inventories, *args, **kwargs
            )
        except (
            # Of an answer that has not what it should.
            LookupError,
            exception.CyborgException,
            ks_exc.ClientException,
            sdk_exc.SDKException,
        ) as exc:
            LOG.debug('Placement does not take an inventory: %s', exc)
            return None
