# SPDX-License-Identifier: Apache-2.0

"""The guests of real hypervisors: what they boot, and what libvirt has."""

from keystoneauth1 import session

from tools.cloud import exception
from tools.cloud.machine import installation
from tools.cloud.model import state as cloud_state
from tools.cloud.production.hosts.real import hypervisor, isolation
from tools.cloud.up import seed
from tools.command_line import progress
from tools.seldom.guest.image import image

#: The name of the image.
IMAGE = 'guest'


def upload(admin: session.Session) -> None:
    """Make the image ``guest``, the one that is a system, and upload it.

    :raises GuestError: if it cannot be made.
    """
    quiet = progress.Progress(lambda line: None)
    path = image.build(installation.CACHE / 'guest', quiet)
    seed.image(admin, IMAGE, path.read_bytes(), isolation.PROPERTIES)


def domain_xml(state: cloud_state.State, server_id: str) -> str:
    """Return a server's guest definition.

    :returns: the XML that libvirt has of it.
    :raises NoGuest: if no host has it.
    """
    for host in state.settings.real_hosts:
        done = hypervisor.virsh(state, host, 'dumpxml', server_id)
        if not done.returncode:
            return done.stdout
    raise exception.NoGuest(server_id)
