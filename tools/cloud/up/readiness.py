# SPDX-License-Identifier: Apache-2.0

"""Conditions that a cloud fulfils once it can be used."""

from keystoneauth1 import adapter, session

from tools.cloud.model import devices
from tools.cloud.model import state as cloud_state


class Readiness:
    """Asks a cloud's APIs how far it is."""

    def __init__(
        self, state: cloud_state.State, admin: session.Session
    ) -> None:
        self._hosts = set(state.settings.hosts)
        self._devices = sum(
            devices.count(state.devices(host))
            if state.settings.lists_devices
            else 1
            for host in self._hosts
        )
        self._nova = adapter.Adapter(admin, service_type='compute')
        self._cyborg = adapter.Adapter(admin, service_type='accelerator')
        self._placement = adapter.Adapter(admin, service_type='placement')

    def has_hypervisors(self) -> bool:
        """Tell whether Nova has all compute hosts."""
        found = self._nova.get('/os-hypervisors').json()['hypervisors']
        return {each['hypervisor_hostname'] for each in found} == self._hosts

    def has_providers(self) -> bool:
        """Tell whether Placement has all compute hosts."""
        found = self._placement.get('/resource_providers').json()
        names = {each['name'] for each in found['resource_providers']}
        return self._hosts <= names

    def has_accelerators(self) -> bool:
        """Tell whether Cyborg and Placement have all devices."""
        found = self._cyborg.get('/devices').json()['devices']
        providers = self._placement.get('/resource_providers').json()
        # Each device is a provider below that of its host.
        wanted = len(self._hosts) + self._devices
        return (
            len(found) >= self._devices
            and len(providers['resource_providers']) >= wanted
        )
