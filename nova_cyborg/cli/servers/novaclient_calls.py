# SPDX-License-Identifier: Apache-2.0

"""Nova and Cyborg, as python-novaclient has logged in to its cloud."""

import functools
import types
import typing as ty

from keystoneauth1 import adapter

from nova_cyborg.cli.servers import calls


class Clients:
    """Looks for Cyborg in the catalog that Nova was found in.

    :param cs: python-novaclient's client.
    """

    def __init__(self, cs: ty.Any) -> None:
        self._nova = cs.client

    @property
    def sdk_connection(self) -> types.SimpleNamespace:
        """Nova, where osc-lib's client manager has it."""
        return types.SimpleNamespace(
            compute=types.SimpleNamespace(request=self._request)
        )

    @functools.cached_property
    def accelerator(self) -> adapter.Adapter:
        """The Accelerator service."""
        return adapter.Adapter(
            session=self._nova.session,
            auth=self._nova.auth,
            service_type='accelerator',
            interface=self._nova.interface,
            region_name=self._nova.region_name,
        )

    def _request(
        self, path: str, method: str, **kwargs: ty.Any
    ) -> calls.Response:
        # Beside the response there is its body.
        return self._nova.request(path, method, **kwargs)[0]
