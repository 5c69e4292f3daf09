# SPDX-License-Identifier: Apache-2.0

"""A request of Nova's to Placement fails on the way."""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc
import re
import typing as ty

import fixtures
import requests
from keystoneauth1 import exceptions as ks_exc

_CANDIDATES = ('GET', '/allocation_candidates')
_CLAIM = ('PUT', '/allocations/')
_FREE = ('DELETE', '/allocations/')
_FAULTS = ('fails', 'is_dropped', 'is_lost')


def with_requests(
    **steps: tuple[str, str],
) -> collections.abc.Callable[[type], type]:
    """Give a class a test for each fault of each request.

    :param steps: method and path of the request, by name of the step.
    """

    return faulty.tested_with(
        'spoil',
        {
            f'{name}_{fault}': {'method': method, 'path': path, 'fault': fault}
            for name, (method, path) in steps.items()
            for fault in _FAULTS
        },
    )


class _Placement:
    """One request to Placement is spoilt."""

    def spoil(self, method: str, path: str, fault: str) -> None:
        """Spoil the first request of a kind.

        :param fault: ``fails``: it is answered with 500; ``is_dropped``: it
            does not arrive; ``is_lost``: its answer does not.
        """
        self.spoilt = False
        client = self.placement_fixture._client
        original = client.request

        def request(url: str, verb: str, **kwargs: ty.Any) -> ty.Any:
            if self.spoilt or verb != method or not re.match(path, url):
                return original(url, verb, **kwargs)
            self.spoilt = True
            if fault == 'fails':
                response = requests.Response()
                response.status_code = 500
                return response
            if fault == 'is_lost':
                original(url, verb, **kwargs)
            raise ks_exc.ConnectFailure(f'{verb} {url}: {fault}')

        self.useFixture(fixtures.MockPatchObject(client, 'request', request))

    def heal(self) -> None:
        """Check that it was spoilt."""
        super().heal()
        self.assertTrue(self.spoilt)


@with_requests(candidates=_CANDIDATES, claim=_CLAIM)
class BootTest(_Placement, faulty.Boot):
    """A server is booted."""


@with_requests(free=_FREE)
class DeleteTest(_Placement, faulty.Delete):
    """A server is deleted."""

    def delete(self, server: dict[str, ty.Any]) -> None:
        """Delete a server, again if Nova could not."""
        server_id = server['id']
        self.api.delete_server(server_id)
        self.wait_for(
            lambda: (
                (self._server(server_id) or {'status': 'GONE'})['status']
                in ('GONE', 'ERROR')
            )
        )
        if self._server(server_id):
            self.api.delete_server(server_id)
            self.wait_for(lambda: not self._server(server_id))


@with_requests(free=_FREE)
class OffloadTest(_Placement, faulty.Offload):
    """A server is shelved and offloaded."""


@with_requests(candidates=_CANDIDATES, claim=_CLAIM)
class UnshelveTest(_Placement, faulty.Unshelve):
    """A server is unshelved."""


@with_requests(candidates=_CANDIDATES, claim=_CLAIM)
class EvacuateTest(_Placement, faulty.Evacuate):
    """A server is evacuated."""
