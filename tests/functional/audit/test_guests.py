# SPDX-License-Identifier: Apache-2.0

"""Devices that hypervisors do not give to guests."""

import argparse
import json

from nova_cyborg import exception
from nova_cyborg.cmd import audit


def test_a_device_that_a_hypervisor_did_not_give_away(
    cloud, placement, capsys
):
    reason = exception.DeviceNotGiven(
        slot='0000:0c:00.0', host='compute1', reason='in use by a guest'
    )
    server_id = cloud.nova.boot('ERROR', None)
    cloud.nova.servers[server_id]['fault'] = {
        'message': f'Exceeded maximum number of retries. Why: {reason}'
    }
    for _n in range(2):
        another = cloud.nova.boot('ERROR', None)
        cloud.nova.servers[another]['fault'] = {'message': 'No valid host'}
    # It is on one page or another of the list.
    cloud.nova.page_size = 1
    arguments = argparse.Namespace(repair=True, format='json', grace=0)

    assert audit.run(arguments) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row['kind'] == 'device-not-given'
    assert row['subject'] == 'compute1/0000:0c:00.0'
    assert server_id in row['detail']
    assert row['detail'].endswith('in use by a guest')
