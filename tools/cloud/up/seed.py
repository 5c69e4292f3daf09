# SPDX-License-Identifier: Apache-2.0

"""What a new cloud offers to its users: an image, flavors, a network."""

import collections.abc
import types
from typing import Any

from keystoneauth1 import adapter, session

NO_PROPERTIES: collections.abc.Mapping[str, str] = types.MappingProxyType({})
# Name, VCPUs, MiB of memory, GiB of disk.
_FLAVORS = (
    ('m1.nano', 1, 192, 1),
    ('m1.tiny', 1, 512, 1),
    ('m1.small', 1, 2048, 20),
    ('m1.medium', 2, 4096, 40),
)


def image(
    admin: session.Session,
    name: str,
    content: bytes,
    properties: collections.abc.Mapping[str, str] = NO_PROPERTIES,
) -> None:
    """Upload an image.

    :param name: its name.
    :param content: what it is, a disk.
    :param properties: its properties.
    """
    glance = adapter.Adapter(admin, service_type='image')
    body = {
        'name': name,
        'visibility': 'public',
        'container_format': 'bare',
        'disk_format': 'raw',
        **properties,
    }
    image_id = glance.post('/v2/images', json=body).json()['id']
    glance.put(
        f'/v2/images/{image_id}/file',
        data=content,
        headers={'Content-Type': 'application/octet-stream'},
    )


def network(admin: session.Session) -> None:
    """Make the network ``private``: the project demo's, for all to use."""
    keystone = adapter.Adapter(admin, service_type='identity')
    projects = keystone.get('/projects?name=demo').json()['projects']
    owner = {'project_id': projects[0]['id']}
    neutron = adapter.Adapter(admin, service_type='network')
    body: dict[str, Any] = {'name': 'private', 'shared': True, **owner}
    made = neutron.post('/v2.0/networks', json={'network': body}).json()
    body = {
        'name': 'private',
        'network_id': made['network']['id'],
        'ip_version': 4,
        'cidr': '10.0.0.0/16',
        **owner,
    }
    neutron.post('/v2.0/subnets', json={'subnet': body})


def flavors(admin: session.Session) -> None:
    """Make the flavors."""
    nova = adapter.Adapter(admin, service_type='compute')
    for name, vcpus, ram, disk in _FLAVORS:
        body = {'name': name, 'vcpus': vcpus, 'ram': ram, 'disk': disk}
        nova.post('/flavors', json={'flavor': body})
