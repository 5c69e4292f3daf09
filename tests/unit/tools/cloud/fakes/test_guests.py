# SPDX-License-Identifier: Apache-2.0

"""What the fake hypervisors do with guests, as libvirt does."""

import pathlib
import types

import pytest
from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt

from tools.cloud import exception
from tools.cloud.fakes import connection, domains, mdevs, node_devices

LIVE = fakelibvirt.VIR_DOMAIN_AFFECT_LIVE
STORED = fakelibvirt.VIR_DOMAIN_AFFECT_CONFIG
INACTIVE = fakelibvirt.VIR_DOMAIN_XML_INACTIVE

ONE = '11111111-1111-4111-8111-111111111111'
TWO = '22222222-2222-4222-8222-222222222222'
MDEV = '33333333-3333-4333-8333-333333333333'

_GUEST = """
<domain type="kvm"><name>{name}</name><uuid>{uuid}</uuid>
<memory>1024</memory><vcpu>1</vcpu><os><type>hvm</type></os>
<devices><disk type="file" device="disk"><driver name="qemu" type="raw"/>
<source file="/disk"/><target dev="vda" bus="virtio"/></disk>
<interface type="bridge"><mac address="52:54:00:00:00:01"/>
<source bridge="br-int"/></interface>{hostdevs}</devices></domain>
"""


def pci(function: int, alias: str = '') -> str:
    """Return a PCI device of the host, as Nova writes it."""
    name = f'<alias name="{alias}"/>' if alias else ''
    return (
        '<hostdev mode="subsystem" type="pci" managed="yes"><source>'
        f'<address domain="0x0000" bus="0x0c" slot="0x00" '
        f'function="0x{function}"/></source>{name}</hostdev>'
    )


def mdev(alias: str = '') -> str:
    """Return a mediated device of the host, as Nova writes it."""
    name = f'<alias name="{alias}"/>' if alias else ''
    return (
        '<hostdev mode="subsystem" type="mdev" model="vfio-pci"><source>'
        f'<address uuid="{MDEV}"/></source>{name}</hostdev>'
    )


def xml(uuid: str, *hostdevs: str) -> str:
    """Return the definition of a guest."""
    return _GUEST.format(
        name=f'instance-{uuid[0]}', uuid=uuid, hostdevs=''.join(hostdevs)
    )


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / 'domains'


@pytest.fixture
def hosts(folder: pathlib.Path) -> types.SimpleNamespace:
    return types.SimpleNamespace(
        a=connect(folder, 'compute1'), b=connect(folder, 'compute2')
    )


def connect(folder: pathlib.Path, host: str) -> connection.Connection:
    """Return the hypervisor of a host, as a process begins with it."""
    bus = mdevs.MdevBus(folder.parent / 'mdevs' / host)
    return connection.Connection(
        host,
        domains.DomainStore(folder / host),
        node_devices.MdevInfo(bus),
    )


def hostdevs(domain: object, flags: int = 0) -> list[etree._Element]:
    tree = etree.fromstring(domain.XMLDesc(flags))
    return tree.findall('devices/hostdev')


def aliases(domain: object, flags: int = 0) -> list[str | None]:
    return [
        None if each.find('alias') is None else each.find('alias').get('name')
        for each in hostdevs(domain, flags)
    ]


def code_of(call, *args) -> int:
    with pytest.raises(fakelibvirt.libvirtError) as raised:
        call(*args)
    return raised.value.get_error_code()


class TestDefine:
    def test_names_are_those_of_the_user(self, hosts):
        domain = hosts.a.defineXML(xml(ONE, pci(1, 'ua-arq'), pci(2)))
        assert aliases(domain) == ['ua-arq', None]

        domain.createWithFlags(0)
        assert aliases(domain) == ['ua-arq', 'hostdev0']
        assert aliases(domain, INACTIVE) == ['ua-arq', None]

    def test_each_device_has_an_address_on_the_guests_bus(self, hosts):
        domain = hosts.a.defineXML(xml(ONE, pci(1), mdev()))

        addresses = etree.fromstring(domain.XMLDesc(0)).xpath(
            'devices/*/address[@type="pci"]/@slot'
        )
        assert len(addresses) == len(set(addresses)) == 4

    def test_what_runs_goes_on(self, hosts):
        domain = hosts.a.defineXML(xml(ONE, pci(1, 'ua-arq')))
        domain.createWithFlags(0)

        again = hosts.a.defineXML(xml(ONE))

        assert again is domain
        assert again.isActive()
        assert aliases(again) == ['ua-arq']
        assert aliases(again, INACTIVE) == []

    def test_it_is_known_to_the_next_process(self, hosts, folder):
        domain = hosts.a.defineXML(xml(ONE, pci(1)))
        domain.createWithFlags(0)
        domain.detachDeviceFlags(pci(1), LIVE)
        domain.suspend()

        again = connect(folder, 'compute1').lookupByUUIDString(ONE)

        assert again.isActive()
        assert again.info()[0] == fakelibvirt.VIR_DOMAIN_PAUSED
        assert hostdevs(again) == []
        assert len(hostdevs(again, INACTIVE)) == 1

    def test_nothing_is_left_of_it(self, hosts, folder):
        domain = hosts.a.defineXML(xml(ONE))
        domain.createWithFlags(0)
        domain.managedSave(0)
        domain.undefineFlags(0)
        domain.destroy()

        assert list((folder / 'compute1').iterdir()) == []
        assert hosts.a.listAllDomains(0) == []


class TestDevices:
    @pytest.fixture
    def domain(self, hosts):
        domain = hosts.a.defineXML(xml(ONE))
        domain.createWithFlags(0)
        return domain

    @pytest.mark.parametrize('device', [pci(1, 'ua-x'), mdev('ua-x')])
    @pytest.mark.parametrize('flags', [LIVE, STORED, LIVE | STORED])
    def test_plugged_in_and_out_where_it_is_said(self, domain, device, flags):
        domain.attachDeviceFlags(device, flags)
        assert bool(aliases(domain)) == bool(flags & LIVE)
        assert bool(aliases(domain, INACTIVE)) == bool(flags & STORED)

        domain.detachDeviceFlags(device, flags)
        assert aliases(domain) == aliases(domain, INACTIVE) == []

    def test_one_that_is_not_there(self, domain):
        domain.attachDeviceFlags(pci(1), STORED)

        code = code_of(domain.detachDeviceFlags, pci(1), LIVE | STORED)

        assert code == fakelibvirt.VIR_ERR_DEVICE_MISSING
        # All or nothing.
        assert len(hostdevs(domain, INACTIVE)) == 1

    def test_one_that_is_there_already(self, domain):
        domain.attachDeviceFlags(mdev(), LIVE)

        code = code_of(domain.attachDeviceFlags, mdev(), LIVE)

        assert code == fakelibvirt.VIR_ERR_OPERATION_INVALID

    def test_the_same_slot_of_another_host(self, hosts):
        for connected, uuid in ((hosts.a, ONE), (hosts.b, TWO)):
            connected.defineXML(xml(uuid, pci(1))).createWithFlags(0)

    def test_of_a_guest_that_does_not_run(self, domain):
        domain.destroy()

        code = code_of(domain.attachDeviceFlags, pci(1), LIVE)

        assert code == fakelibvirt.VIR_ERR_OPERATION_INVALID

    def test_more_than_the_bus_has_slots_for(self, domain):
        def plug_all() -> None:
            for function in range(40):
                device = pci(0).replace('slot="0x00"', f'slot="{function:#x}"')
                domain.attachDeviceFlags(device, LIVE)

        with pytest.raises(fakelibvirt.libvirtError, match='PCI slots'):
            plug_all()

    def test_other_devices(self, domain):
        disk = '<disk type="file"><target dev="vdb" bus="virtio"/></disk>'
        domain.attachDeviceFlags(disk, LIVE)
        names = etree.fromstring(domain.XMLDesc(0)).xpath(
            'devices/disk/alias/@name'
        )
        assert names == ['disk0', 'disk1']

        domain.detachDeviceFlags(disk, LIVE)
        domain.detachDeviceFlags(
            '<interface><mac address="52:54:00:00:00:01"/></interface>', LIVE
        )
        kinds = [
            each.tag
            for each in etree.fromstring(domain.XMLDesc(0)).find('devices')
        ]
        assert kinds == ['disk']

    def test_an_event_tells_that_the_guest_has_let_go(self, hosts, domain):
        told = []
        hosts.a.domainEventRegisterAny(
            None,
            fakelibvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
            lambda *args: told.append(args[1:3]),
            None,
        )
        domain.attachDeviceFlags(pci(1, 'ua-arq'), LIVE | STORED)
        domain.detachDeviceFlags(pci(1), STORED)
        domain.detachDeviceFlags(pci(1), LIVE)

        # Events of others may be first: they come in a queue.
        while not told:
            connection.run_events()
        assert told == [(domain, 'ua-arq')]


class TestSave:
    def test_with_a_device_of_the_host(self, hosts):
        domain = hosts.a.defineXML(xml(ONE, mdev()))
        domain.createWithFlags(0)

        code = code_of(domain.managedSave, 0)

        assert code == fakelibvirt.VIR_ERR_OPERATION_INVALID
        assert domain.isActive()

    def test_it_goes_on_without_what_it_let_go_of(self, hosts, folder):
        domain = hosts.a.defineXML(xml(ONE, mdev('ua-arq')))
        domain.createWithFlags(0)
        domain.detachDeviceFlags(mdev(), LIVE)
        domain.managedSave(0)
        assert domain.info()[0] == fakelibvirt.VIR_DOMAIN_SHUTOFF

        # Nova defines it again; nova-compute may have been started again.
        again = connect(folder, 'compute1').defineXML(xml(ONE, mdev('ua-arq')))
        assert again.hasManagedSaveImage(0)
        again.createWithFlags(0)

        assert hostdevs(again) == []
        assert not again.hasManagedSaveImage(0)
        again.attachDeviceFlags(mdev('ua-arq'), LIVE)
        assert aliases(again) == ['ua-arq']

    def test_what_is_saved_is_removed(self, hosts):
        domain = hosts.a.defineXML(xml(ONE, mdev()))
        domain.createWithFlags(0)
        domain.detachDeviceFlags(mdev(), LIVE)
        domain.managedSave(0)
        domain.managedSaveRemove(0)

        domain.createWithFlags(0)

        assert len(hostdevs(domain)) == 1


class TestMigrate:
    def migrate(self, domain, host: str) -> None:
        text = domain.XMLDesc(fakelibvirt.VIR_DOMAIN_XML_MIGRATABLE)
        domain.migrateToURI3(
            f'qemu+tcp://{host}/system',
            {'destination_xml': text, 'persistent_xml': text},
            0,
        )

    @pytest.mark.parametrize('paused', [False, True])
    def test_it_runs_there(self, hosts, folder, paused):
        domain = hosts.a.defineXML(xml(ONE))
        domain.createWithFlags(0)
        if paused:
            domain.suspend()
        # The other host has been asked before.
        assert hosts.b.listAllDomains(0) == []

        self.migrate(domain, 'compute2')

        assert domain.jobStats()['type'] == (
            fakelibvirt.VIR_DOMAIN_JOB_COMPLETED
        )
        assert code_of(hosts.a.lookupByUUIDString, ONE) == (
            fakelibvirt.VIR_ERR_NO_DOMAIN
        )
        there = hosts.b.lookupByUUIDString(ONE)
        assert there.isActive()
        assert (there.info()[0] == fakelibvirt.VIR_DOMAIN_PAUSED) is paused
        assert domains.find(folder, ONE) == there.XMLDesc(0)
        # And back.
        self.migrate(there, 'compute1')
        assert hosts.a.lookupByUUIDString(ONE).isActive()

    def test_with_a_device_of_the_host(self, hosts):
        domain = hosts.a.defineXML(xml(ONE, pci(1)))
        domain.createWithFlags(0)

        code = code_of(self.migrate, domain, 'compute2')

        assert code == fakelibvirt.VIR_ERR_OPERATION_INVALID
        assert domain.isActive()
        assert domain.jobStats()['type'] == fakelibvirt.VIR_DOMAIN_JOB_NONE

    def test_to_a_host_that_has_it(self, hosts):
        hosts.b.defineXML(xml(ONE))
        domain = hosts.a.defineXML(xml(ONE))
        domain.createWithFlags(0)

        with pytest.raises(fakelibvirt.libvirtError, match='already exists'):
            self.migrate(domain, 'compute2')

        assert domain.isActive()

    def test_to_a_host_that_there_is_not(self, hosts):
        domain = hosts.a.defineXML(xml(ONE))
        domain.createWithFlags(0)

        with pytest.raises(fakelibvirt.libvirtError, match='compute9'):
            self.migrate(domain, 'compute9')

        assert domain.isActive()


class TestFind:
    def test_that_which_runs(self, hosts, folder):
        hosts.a.defineXML(xml(ONE, pci(1, 'ua-left')))
        hosts.b.defineXML(xml(ONE, pci(2, 'ua-new'))).createWithFlags(0)

        assert 'ua-new' in domains.find(folder, ONE)

    def test_that_which_is_stored(self, hosts, folder):
        hosts.a.defineXML(xml(ONE, pci(1, 'ua-arq')))

        assert 'ua-arq' in domains.find(folder, ONE)

    def test_none(self, hosts, folder):
        with pytest.raises(exception.NoGuest):
            domains.find(folder, ONE)
