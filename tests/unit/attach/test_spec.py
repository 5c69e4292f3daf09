# SPDX-License-Identifier: Apache-2.0

"""Which device of a guest is that of an accelerator request."""

import pytest
from lxml import etree

from nova_cyborg.attach import mdev, pci, spec

_UUID = '9f3b6c1e-53a1-4a5e-8a43-0b9b6f0a8d11'
_ADDRESS = {'domain': '0000', 'bus': '81', 'device': '00', 'function': '2'}
_ARQ = {
    'uuid': '0c1f4b52-6f2a-4a83-9c0d-0d2a3b4c5e6f',
    'attach_handle_uuid': _UUID,
    'attach_handle_info': _ADDRESS,
}
_ALIAS = f'<alias name="ua-{_ARQ["uuid"]}"/>'
_PCI = (
    '<address domain="0x0000" bus="0x81" slot="0x00" function="0x{function}"/>'
)


class OtherDriver(spec.AttachDriver):
    """As one of another package, written before there was is_device."""

    def attach(self, guest, arq):
        raise AssertionError


def hostdev(kind, address='', alias=''):
    return etree.fromstring(
        f'<hostdev type="{kind}"><source>{address}</source>{alias}</hostdev>'
    )


@pytest.mark.parametrize(
    ('driver', 'element', 'expected'),
    [
        (OtherDriver(), hostdev('other', alias=_ALIAS), True),
        (OtherDriver(), hostdev('other', alias='<alias name="a"/>'), False),
        (OtherDriver(), hostdev('other'), False),
        # Stock Nova gives none an alias.
        (pci.PCIAttachDriver(), hostdev('pci', _PCI.format(function=2)), True),
        (
            pci.PCIAttachDriver(),
            hostdev('pci', _PCI.format(function=1), _ALIAS),
            False,
        ),
        (pci.PCIAttachDriver(), hostdev('pci'), False),
        (
            pci.PCIAttachDriver(),
            hostdev('mdev', f'<address uuid="{_UUID}"/>'),
            False,
        ),
        (
            mdev.MDEVAttachDriver(),
            hostdev('mdev', f'<address uuid="{_UUID}"/>'),
            True,
        ),
        (
            mdev.MDEVAttachDriver(),
            hostdev('mdev', '<address uuid="another"/>', _ALIAS),
            False,
        ),
        (mdev.MDEVAttachDriver(), hostdev('mdev'), False),
    ],
)
def test_is_device(driver, element, expected):
    assert driver.is_device(element, _ARQ) is expected


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        (spec.alias(_ARQ), _ARQ['uuid']),
        ('ua-crypto', None),
        ('hostdev0', None),
        (_ARQ['uuid'], None),
        ('', None),
    ],
)
def test_arq_id_of(name, expected):
    assert spec.arq_id_of(name) == expected
