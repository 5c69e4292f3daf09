# SPDX-License-Identifier: Apache-2.0

"""Servers that really run: what their consoles and libvirt say of them."""

import functools
import subprocess
import typing as ty

from lxml import etree

from tests.e2e import person, servers, waiting
from tools.cloud import cloud as cloud_module
from tools.cloud.model import state as cloud_state
from tools.cloud.production.hosts.real import guests as real_guests
from tools.cloud.production.hosts.real import hypervisor
from tools.seldom.guest import console, report, watch
from tools.seldom.guest import domain as guest_domain

FLAVOR = 'm1.tiny'
#: What the host has that is booked, and given to no guest.
RESOURCES = {'TEST_FPGA': 1}
_MEMORY_KIB = 512 * 1024
#: Ample for a boot in software on a busy machine.
_SECONDS = 300.0
_NOVA = {'nova': 'http://openstack.org/xmlns/libvirt/nova/1.1'}


class Guest:
    """A server on a real hypervisor.

    :param cloud: the cloud.
    :param owner: whose server it is.
    :param context_ids: the device contexts that it boots with.
    """

    def __init__(
        self,
        cloud: cloud_module.Cloud,
        owner: person.Person,
        *context_ids: str,
    ) -> None:
        self.owner = owner
        self.image_id = image(owner)
        self.server_id = servers.boot(
            owner, *context_ids, flavor=FLAVOR, imageRef=self.image_id
        )
        self._cloud = cloud
        self._boots: set[str] = set()

    def wait_ready(self) -> console.Boot:
        """Wait until the guest has started anew and says so.

        :returns: what it says of itself.
        """
        self.wait_status('ACTIVE')
        # To ask Nova for it again and again would take from the guest's time.
        watch.until_ready(domain(self._cloud, self.server_id), self._is_new)
        [boot] = filter(self._is_new, console.parse(self._console()))
        assert boot.ready
        self._boots.add(boot.boot_id)
        return boot

    def act(self, **action: ty.Any) -> None:
        """Do something to the server."""
        servers.act(self.owner, self.server_id, **action)

    def rebuild(self, image_id: str) -> None:
        """Rebuild the server from an image."""
        self.image_id = image_id
        self.act(rebuild={'imageRef': image_id})

    def snapshot(self) -> str:
        """Make an image of the server while it runs.

        :returns: the image's UUID, once it can be used.
        """
        made = self.owner.compute.post(
            f'/servers/{self.server_id}/action',
            json={'createImage': {'name': 'snapshot'}},
        )
        path = f'/v2/images/{made.json()["image_id"]}'
        waiting.until(
            f'{path} to be active',
            lambda: self.owner.image.get(path).json()['status'] == 'active',
            _SECONDS,
        )
        self.wait_status('ACTIVE')
        return str(made.json()['image_id'])

    def wait_status(self, status: str) -> None:
        """Wait until the server has a status."""
        waiting.until(
            f'{self.server_id} to be {status}',
            lambda: self._is(status),
            _SECONDS,
        )

    def show(self) -> dict[str, ty.Any]:
        """Return what Nova says of the server."""
        return servers.show(self.owner, self.server_id)

    def state(self) -> str:
        """Return the word that libvirt has for the guest's state."""
        done = self._virsh('domstate', self.server_id)
        return done.strip()

    def defined(self) -> list[str]:
        """Return the UUIDs of all guests of the host."""
        return self._virsh('list', '--all', '--uuid').split()

    def xml(self) -> etree._Element:
        """Return the guest's definition, as libvirt has it."""
        text = self._cloud.domain_xml(self.server_id)
        return etree.fromstring(text.encode())

    def _virsh(self, *arguments: str) -> str:
        done = _asks(self._cloud)(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _is(self, status: str) -> bool:
        server = self.show()
        assert server['status'] != 'ERROR', server.get('fault')
        task = server['OS-EXT-STS:task_state']
        return bool(server['status'] == status and task is None)

    def _is_new(self, boot: console.Boot) -> bool:
        return boot.boot_id not in self._boots

    def _console(self) -> str:
        found = self.owner.compute.post(
            f'/servers/{self.server_id}/action',
            json={'os-getConsoleOutput': {}},
        )
        return str(found.json()['output'])


def host(cloud: cloud_module.Cloud) -> str:
    """Return the name of the host with a real hypervisor."""
    found = [each for each in cloud.hosts() if each.startswith('real')]
    assert found, 'the cloud has only fake hypervisors: see tests/README.rst'
    return found[0]


def domain(cloud: cloud_module.Cloud, server_id: str) -> guest_domain.Domain:
    """Return the guest of a server."""
    program = f'libvirtd-{host(cloud)}'
    return guest_domain.Domain(
        server_id,
        cloud.folder / 'nova' / 'guests' / server_id / 'console.log',
        cloud.log_paths(program)[program],
        _asks(cloud),
    )


def tell(cloud: cloud_module.Cloud) -> str:
    """Return what there is to see of all guests of the host."""
    try:
        done = _asks(cloud)('list', '--all', '--uuid')
    except subprocess.TimeoutExpired as error:
        return f'its libvirt does not answer: {error}'
    return '\n'.join(
        (
            f'{host(cloud)} {done.stderr}',
            *(
                f'== the guest of {each}\n{report.of(domain(cloud, each))}'
                for each in done.stdout.split()
            ),
        )
    )


def image(owner: person.Person) -> str:
    """Return the UUID of the image that is a system."""
    path = f'/v2/images?name={real_guests.IMAGE}'
    images = owner.image.get(path).json()['images']
    return str(images[0]['id'])


def assert_is_what_nova_asked_for(guest: Guest) -> None:
    """Check a guest's definition, as libvirt has it."""
    xml = guest.xml()
    server = guest.show()
    assert xml.get('type') == 'qemu'
    assert xml.findtext('uuid') == guest.server_id
    assert xml.findtext('currentMemory') == str(_MEMORY_KIB)
    assert xml.findtext('vcpu') == '1'
    assert xml.findtext('.//nova:name', namespaces=_NOVA) == server['name']
    root = xml.find('.//nova:root', namespaces=_NOVA)
    assert root is not None
    assert root.get('uuid') == guest.image_id
    disks = xml.findall('devices/disk')
    kinds = [(each.get('device'), _format(each)) for each in disks]
    assert kinds == [('disk', 'qcow2'), ('cdrom', 'raw')]
    # TEST_PCI: Cyborg has booked it, and there is nothing to be given.
    assert xml.findall('devices/hostdev') == []


def _asks(cloud: cloud_module.Cloud) -> guest_domain.Virsh:
    state = cloud_state.State.load(cloud.folder)
    assert state is not None
    return functools.partial(hypervisor.virsh, state, host(cloud))


def _format(disk: etree._Element) -> str | None:
    driver = disk.find('driver')
    return None if driver is None else driver.get('type')
