# SPDX-License-Identifier: Apache-2.0

"""What a new cloud offers to its users: an image, flavors, a network."""

from typing import Any

from keystoneauth1 import adapter, session

# Name, VCPUs, MiB of memory, GiB of disk.
_FLAVORS = (
    ('m1.nano', 1, 192, 1),
    ('m1.tiny', 1, 512, 1),
    ('m1.small', 1, 2048, 20),
    ('m1.medium', 2, 4096, 40),
)


def image(admin: session.Session, content: bytes) -> None:
    """Upload the image ``cirros``, which documents and tests name so.

    :param admin: the administrator's session.
    :param content: what it is, a disk.
    """
    glance = adapter.Adapter(admin, service_type='image')
    body = {
        'name': 'cirros',
        'visibility': 'public',
        'container_format': 'bare',
        'disk_format': 'raw',
    }
    image_id = glance.post('/v2/images', json=body).json()['id']
    glance.put(
        f'/v2/images/{image_id}/file',
        data=content,
        headers={'Content-Type': 'application/octet-stream'},
    )


def network(admin: session.Session) -> None:
    """Make the network ``private``: the project demo's, for all to use.

    :param admin: the administrator's session.
    """
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
    """Make the flavors.

    :param admin: the administrator's session.
    """
    nova = adapter.Adapter(admin, service_type='compute')
    for name, vcpus, ram, disk in _FLAVORS:
        body = {'name': name, 'vcpus': vcpus, 'ram': ram, 'disk': disk}
        nova.post('/flavors', json={'flavor': body})
