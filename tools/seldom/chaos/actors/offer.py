# SPDX-License-Identifier: Apache-2.0

"""What clients can boot: with device contexts, or as stock Nova has it."""

import dataclasses

from tools.seldom.chaos.actors import api

# What the hosts of the cloud have, of the file that comes with it.
RESOURCES = ('FPGA_GZIP', 'FPGA', 'VGPU', 'QAT', 'QAT')
_IMAGE = 'cirros'
_FLAVOR = 'm1.tiny'
_LARGER = 'm1.small'
_STOCK = {'FPGA_GZIP': 'CUSTOM_FPGA_GZIP', 'QAT': 'CUSTOM_QAT'}


@dataclasses.dataclass(frozen=True)
class Offer:
    """What can be booted.

    :ivar stock: whether the flavor brings the accelerator along.
    :ivar image: UUID of the image.
    :ivar flavors: the flavor for each kind of accelerator.
    :ivar larger: the flavor that servers are resized to.
    """

    stock: bool
    image: str
    flavors: dict[str, str]
    larger: str = ''


def contexts(admin: api.User) -> Offer:
    """Offer one flavor, to be booted with device contexts, and a larger one.

    :param admin: the administrator.
    :returns: the offer.
    """
    every = admin.ask('compute', 'GET', '/flavors').json()['flavors']
    flavors = {each['name']: str(each['id']) for each in every}
    return Offer(
        False,
        _image(admin),
        dict.fromkeys(RESOURCES, flavors[_FLAVOR]),
        flavors[_LARGER],
    )


def profiles(admin: api.User) -> Offer:
    """Offer a flavor with a device profile for each kind of accelerator.

    :param admin: the administrator, who makes them.
    :returns: the offer.
    """
    flavors = {kind: _make_flavor(admin, kind) for kind in set(RESOURCES)}
    return Offer(True, _image(admin), flavors)


def _image(admin: api.User) -> str:
    path = f'/v2/images?name={_IMAGE}'
    images = admin.ask('image', 'GET', path).json()['images']
    return str(images[0]['id'])


def _make_flavor(admin: api.User, kind: str) -> str:
    name = f'chaos-{kind.lower()}'
    groups = [{f'resources:{_STOCK.get(kind, kind)}': '1'}]
    profile = [{'name': name, 'groups': groups}]
    admin.ask('accelerator', 'POST', '/device_profiles', json=profile)
    flavor = {'name': name, 'ram': 512, 'vcpus': 1, 'disk': 1}
    made = admin.ask('compute', 'POST', '/flavors', json={'flavor': flavor})
    flavor_id = str(made.json()['flavor']['id'])
    admin.ask(
        'compute',
        'POST',
        f'/flavors/{flavor_id}/os-extra_specs',
        json={'extra_specs': {'accel:device_profile': name}},
    )
    return flavor_id
