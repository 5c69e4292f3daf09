# SPDX-License-Identifier: Apache-2.0

import pytest

from nova_cyborg.cyborg.agent import pci_address


def test_addresses_are_normalised_to_lower_case():
    assert pci_address.normalise('00AB:Cd:1F.7') == '00ab:cd:1f.7'


@pytest.mark.parametrize(
    'text',
    [
        '',
        '0c:00.0',
        '0000:0c:00',
        '0000:0c:00.8',
        '0000:0c:20.0',
        '0000:0g:00.0',
        '00000:0c:00.0',
        ' 0000:0c:00.0',
        '0000:0c:00.0\n',
        '0000:0c:00.0 ',
        '\u0660\u0660\u0660\u0660:0c:00.0',
    ],
)
def test_other_text_is_no_address(text):
    assert pci_address.normalise(text) is None


def test_functions_follow_from_device_to_device():
    found = pci_address.following('0000:0c:00.0', 9)

    assert found[:2] == ('0000:0c:00.1', '0000:0c:00.2')
    assert found[6:] == ('0000:0c:00.7', '0000:0c:01.0', '0000:0c:01.1')


def test_functions_follow_a_later_function():
    assert pci_address.following('00af:0c:0f.7', 1) == ('00af:0c:10.0',)


def test_functions_follow_up_to_the_end_of_the_bus():
    found = pci_address.following('0000:0c:00.0', 255)

    assert len(set(found)) == 255
    assert found[-1] == '0000:0c:1f.7'


@pytest.mark.parametrize(
    ('address', 'count'), [('0000:0c:00.0', 256), ('0000:0c:1f.7', 1)]
)
def test_functions_do_not_go_on_on_the_next_bus(address, count):
    with pytest.raises(ValueError, match='bus 0000:0c ends'):
        pci_address.following(address, count)


def test_nothing_follows_what_is_no_address():
    with pytest.raises(ValueError, match='no PCI address'):
        pci_address.following('0c', 1)
