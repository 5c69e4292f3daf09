# SPDX-License-Identifier: Apache-2.0

"""A request of Nova's to Placement fails on the way.

In each operation, once. All other pairs of a request and a fault are in the
folder ``every``.
"""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc
import re
import typing as ty

import fixtures
import requests
from keystoneauth1 import exceptions as ks_exc

#: Method and path of a request, by name of the step.
STEPS = {
    'candidates': ('GET', '/allocation_candidates'),
    'claim': ('PUT', '/allocations/'),
    'forget': ('DELETE', '/allocations/'),
}
FAULTS = ('fails', 'is_dropped', 'is_lost')


def tested_with(
    **faults: collections.abc.Iterable[str],
) -> collections.abc.Callable[[type], type]:
    """Give a class a test for each fault of each request.

    :param faults: names of faults, by name of the step.
    """
    return faulty.tested_with(
        'spoil',
        {
            f'{step}_{name}': {
                'method': STEPS[step][0],
                'path': STEPS[step][1],
                'fault': name,
            }
            for step, names in faults.items()
            for name in names
        },
    )


class Placement:
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


@tested_with(claim=['is_lost'])
class BootTest(Placement, faulty.Boot):
    """A server is booted."""


class Delete(Placement, faulty.Delete):
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


@tested_with(forget=['is_lost'])
class DeleteTest(Delete):
    """A server is deleted."""


@tested_with(forget=['fails'])
class OffloadTest(Placement, faulty.Offload):
    """A server is shelved and offloaded."""


@tested_with(candidates=['fails'])
class UnshelveTest(Placement, faulty.Unshelve):
    """A server is unshelved."""


@tested_with(claim=['is_lost'])
class EvacuateTest(Placement, faulty.Evacuate):
    """A server is evacuated."""
