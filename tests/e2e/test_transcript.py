# SPDX-License-Identifier: Apache-2.0


"""The README's two lines, as a plain project member types them."""

import re

from tests.e2e import contexts, databases, guest, person, servers, waiting
from tools.cloud import cloud as cloud_module

_UUID = r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
_CREATE = (
    'cyborg device-context-create --resources=FPGA_GZIP:1 '
    '--requires=SOME_FOO_CAPABILITY --config-data=key1:val1'
)


def test_the_two_lines(cloud: cloud_module.Cloud, demo: person.Person) -> None:
    demo.run(
        f'CTX_UUID=$({_CREATE}) && '
        'nova boot --device-context-id=$CTX_UUID --flavor m1.small '
        '--image cirros --nic none vm1'
    )
    server_id = servers.named(demo, 'vm1')[0]['id']
    servers.wait_active(demo, server_id)

    context_id = contexts.every(demo)[0]['uuid']
    shown = demo.show(f'cyborg device-context-show {context_id}')
    assert shown['status'] == 'bound'
    assert shown['server_id'] == server_id
    assert shown['host'] == 'compute1'
    [device] = shown['devices']
    assert re.fullmatch(r'0000:0c:0[01]\.\d', device['slot'])
    assert guest.hostdevs(cloud, server_id) == [
        guest.Hostdev('pci', device['slot'], f'ua-{device["arq_id"]}')
    ]

    demo.run('nova delete vm1')
    waiting.until('vm1 to be gone', lambda: servers.is_gone(demo, server_id))
    waiting.until('nothing to be left', lambda: not databases.leftovers(cloud))
    assert demo.show('cyborg device-context-list') == []


def test_create_prints_the_uuid_and_nothing_else(
    demo: person.Person,
) -> None:
    printed = demo.run(_CREATE)
    assert re.fullmatch(f'{_UUID}\n', printed)
    assert contexts.show(demo, printed.strip())['status'] == 'available'


def test_create_from_a_device_profile(
    demo: person.Person, device_profile: dict[str, str]
) -> None:
    printed = demo.run(
        f'PROFILE_ID={device_profile["uuid"]}; cyborg '
        'device-context-create --device-profile-id=$PROFILE_ID'
    )
    shown = contexts.show(demo, printed.strip())
    assert shown['device_profile_id'] == device_profile['uuid']


def test_config_data_reaches_cyborgs_arq_group(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = contexts.create(
        demo,
        resources={'FPGA_GZIP': 1},
        required=['SOME_FOO_CAPABILITY'],
        config={'key1': 'val1', 'path': '/a:b=c d'},
    )
    server_id = servers.boot_active(demo, context_id)
    assert databases.arq_groups(cloud, server_id) == [
        {
            'resources:CUSTOM_FPGA_GZIP': '1',
            'trait:CUSTOM_SOME_FOO_CAPABILITY': 'required',
            'accel:key1': 'val1',
            'accel:path': '/a:b=c d',
        }
    ]
