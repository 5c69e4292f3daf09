# SPDX-License-Identifier: Apache-2.0

import unittest

from cyborg.conf import CONF

from nova_cyborg.cyborg.agent import driver
from nova_cyborg.fixture import devices_file


class DevicesFileTest(unittest.TestCase):
    def test_a_card_is_reported(self):
        with devices_file.DevicesFileFixture(CONF) as fixture:
            fixture.write(
                {
                    'address': '0000:0c:00.0',
                    'vendor': '8086',
                    'product': '09c4',
                    'type': 'FPGA',
                    'resource_class': 'FPGA_GZIP',
                }
            )
            (device,) = driver.FileDriver().discover()

        assert device.vendor == '8086'
