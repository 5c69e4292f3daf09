# SPDX-License-Identifier: Apache-2.0

"""Reading what the guest says on its console."""

from tools.seldom.guest import console

_LOG = """\
SeaBIOS (version 1.16)\r
nova-cyborg-guest: boot b1\r
nova-cyborg-guest: uuid s1\r
nova-cyborg-guest: name a server\r
nova-cyborg-guest: pci 0000:00:05.0 1234:11e8 00ff00\r
nova-cyborg-guest: edu 0000:00:05.0 factorial 10 3628800\r
nova-cyborg-guest: ready\r
[    3.3] reboot: Power down\r
nova-cyborg-guest: boot b2\r
nova-cyborg-guest: pci 0000:00:0"""


def test_a_boot():
    boot, _second = console.parse(_LOG)

    assert boot == console.Boot(
        boot_id='b1',
        uuid='s1',
        name='a server',
        devices=[console.PciDevice('0000:00:05.0', '1234:11e8', '00ff00')],
        results=[('edu', '0000:00:05.0 factorial 10 3628800')],
        ready=True,
    )


def test_a_line_of_which_the_end_is_not_there_yet():
    _first, boot = console.parse(_LOG)

    assert boot == console.Boot(boot_id='b2')


def test_a_line_that_somebody_else_has_ended():
    _first, boot = console.parse(_LOG + '\n')

    assert boot == console.Boot(boot_id='b2')


def test_no_boot():
    assert console.parse('nova-cyborg-guest: ready\n') == []
