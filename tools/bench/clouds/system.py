# SPDX-License-Identifier: Apache-2.0

"""The systems that are compared: a cloud, and how a server gets devices."""

from __future__ import annotations

import dataclasses
import typing as ty
import urllib.parse

from tools.bench.clouds import api, up
from tools.bench.model import systems

_IMAGE = 'cirros'
_NAME = 'bench'
_RESOURCES = {'FPGA': 1}


@dataclasses.dataclass(frozen=True)
class System:
    """What is measured.

    :ivar name: one of those in :mod:`.systems`.
    :ivar measured: its cloud.
    :ivar member: a member of the project that all of it is in.
    :ivar admin: the administrator.
    :ivar image: UUID of the image.
    :ivar plain: UUID of a flavor without accelerators.
    :ivar accelerated: UUID of the flavor of servers with accelerators.
    """

    name: str
    measured: up.Measured
    member: api.Api
    admin: api.Api
    image: str
    plain: str
    accelerated: str

    @property
    def cyborg_port(self) -> int | None:
        """The port of Cyborg's API."""
        url = self.measured.cloud.url('cyborg')
        return urllib.parse.urlsplit(url).port

    def make_context(
        self, request: str | None = None, number: int = 1
    ) -> list[str]:
        """Make device contexts, with one request for each.

        :param request: the id by which the requests are followed.
        :param number: how many.
        :returns: their UUIDs.
        """
        body = {'name': _NAME, 'resources': _RESOURCES}
        path = '/device_contexts'
        return [
            str(
                self.member.do('accelerator', 'POST', path, body, request)[
                    'uuid'
                ]
            )
            for _n in range(number)
        ]

    def boot(
        self,
        flavor: str,
        context_ids: list[str],
        request: str | None = None,
    ) -> str:
        """Ask for a server.

        :param flavor: UUID of its flavor.
        :param context_ids: UUIDs of its device contexts.
        :param request: the id by which the request is followed.
        :returns: the server's UUID.
        """
        server = {
            'name': _NAME,
            'imageRef': self.image,
            'flavorRef': flavor,
            'networks': 'none',
        }
        body: dict[str, ty.Any] = {'server': server}
        if context_ids:
            body['os:scheduler_hints'] = {'device_context_id': context_ids}
        made = self.member.do('compute', 'POST', '/servers', body, request)
        return str(made['server']['id'])


def of(clouds: dict[bool, up.Measured], names: list[str]) -> list[System]:
    """Make what the systems need.

    :param clouds: the clouds, by whether they have the plugin.
    :param names: the names of the systems.
    :returns: the systems.
    """
    offers = {plugin: _Offer(each) for plugin, each in clouds.items()}
    return [offers[name != systems.STOCK].system(name) for name in names]


class _Offer:
    """What a cloud offers."""

    def __init__(self, measured: up.Measured) -> None:
        self._measured = measured
        self._admin = api.Api(measured.cloud, 'admin')
        self._member = api.Api(measured.cloud, 'demo')
        images = self._admin.do('image', 'GET', f'/v2/images?name={_IMAGE}')
        self._image = str(images['images'][0]['id'])
        self._plain = self._flavor(f'{_NAME}-plain', {})
        groups = [
            {f'resources:{name}': str(n) for name, n in _RESOURCES.items()}
        ]
        profile = [{'name': _NAME, 'groups': groups}]
        self._admin.do('accelerator', 'POST', '/device_profiles', profile)
        self._profile = self._flavor(
            f'{_NAME}-profile', {'accel:device_profile': _NAME}
        )

    def system(self, name: str) -> System:
        return System(
            name,
            self._measured,
            self._member,
            self._admin,
            self._image,
            self._plain,
            self._plain if name == systems.CONTEXTS else self._profile,
        )

    def _flavor(self, name: str, specs: dict[str, str]) -> str:
        flavor = {'name': name, 'ram': 64, 'vcpus': 1, 'disk': 1}
        made = self._admin.do(
            'compute', 'POST', '/flavors', {'flavor': flavor}
        )
        flavor_id = str(made['flavor']['id'])
        if specs:
            path = f'/flavors/{flavor_id}/os-extra_specs'
            self._admin.do('compute', 'POST', path, {'extra_specs': specs})
        return flavor_id
