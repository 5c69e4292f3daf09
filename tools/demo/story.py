# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What the demo does, step by step."""

import json
import re
import sqlite3
import time

from lxml import etree

from tools.cloud import cloud as cloud_module
from tools.demo import terminal, watcher

_CREATE = (
    'cyborg device-context-create --resources=FPGA_GZIP:1 '
    '--requires=SOME_FOO_CAPABILITY --config-data=key1:val1'
)
_BOOT = (
    'nova boot --device-context-id=$CTX_UUID --flavor m1.small '
    '--image cirros vm1'
)
_SECONDS = 90


def tell(cloud: cloud_module.Cloud) -> None:
    """Do all the steps.

    :param cloud: a cloud that is not up yet.
    :raises StepFailed: naming the step that failed.
    :raises CloudError: if the cloud does not come up.
    """
    terminal.step('A cloud of stock services, with the plugin, is started')
    cloud.up()
    demo = terminal.Session(cloud.environment('demo'))
    admin = terminal.Session(cloud.environment('admin'))
    server_id = _boot(cloud, demo)
    _show(cloud, demo, server_id)
    _delete(cloud, demo, admin, server_id)


def _boot(cloud: cloud_module.Cloud, demo: terminal.Session) -> str:
    terminal.step('A plain project member makes a device context, and boots')
    context_id = demo.assign('CTX_UUID', _CREATE)
    if not re.fullmatch(r'[0-9a-f-]{36}', context_id):
        raise terminal.StepFailed(f'"{context_id}" is no UUID')
    terminal.note(f'# {context_id}')
    with watcher.Watcher(cloud.environment('demo'), context_id) as watched:
        demo.run(_BOOT)
        server_id = demo.ask('openstack server show vm1 -f value -c id')
        _wait_active(demo)
        watched.wait_for('bound', _SECONDS)
    terminal.note('The device context went through: ')
    for seconds, status in watched.seen:
        terminal.note(f'  {seconds:6.2f} s  {status}')
    return server_id


def _wait_active(demo: terminal.Session) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        server = json.loads(demo.ask('openstack server show vm1 -f json'))
        if server['status'] == 'ACTIVE':
            return
        if server['status'] == 'ERROR':
            raise terminal.StepFailed(
                f'the server is in ERROR: {server.get("fault")}'
            )
    raise terminal.StepFailed(f'the server is not ACTIVE in {_SECONDS} s')


def _show(
    cloud: cloud_module.Cloud, demo: terminal.Session, server_id: str
) -> None:
    terminal.step('The member sees which host and slot it got')
    demo.run('cyborg device-context-show $CTX_UUID')
    shown = json.loads(
        demo.ask('cyborg device-context-show -f json $CTX_UUID')
    )
    terminal.step("And the device is in the guest's libvirt config")
    guest = etree.fromstring(cloud.domain_xml(server_id).encode())
    hostdevs = guest.findall('.//hostdev')
    for hostdev in hostdevs:
        etree.indent(hostdev)
        terminal.note(etree.tostring(hostdev, encoding='unicode').rstrip())
    aliases = [each.find('alias').get('name') for each in hostdevs]
    expected = [f'ua-{each["arq_id"]}' for each in shown['devices']]
    if aliases != expected:
        raise terminal.StepFailed(
            f'the guest has the devices {aliases}, not {expected}'
        )


def _delete(
    cloud: cloud_module.Cloud,
    demo: terminal.Session,
    admin: terminal.Session,
    server_id: str,
) -> None:
    terminal.step('The server is deleted, and nothing is left of it')
    demo.run('nova delete vm1')
    _wait_gone(demo)
    _empty(demo, 'cyborg device-context-list -f value')
    _empty(admin, 'openstack accelerator arq list -f value')
    _empty(
        admin,
        f'openstack resource provider allocation show {server_id} -f value',
    )
    used = _slots_in_use(cloud)
    terminal.note(f'Attach handles in use in Cyborg: {used}')
    if used:
        raise terminal.StepFailed(f'{used} slots are still in use')


def _wait_gone(demo: terminal.Session) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if not demo.ask('openstack server list -f value'):
            return
    raise terminal.StepFailed(f'the server is not gone in {_SECONDS} s')


def _empty(session: terminal.Session, command: str) -> None:
    output = session.run(command).strip()
    if output:
        raise terminal.StepFailed(f'"{command}" still shows something')
    terminal.note('# nothing')


def _slots_in_use(cloud: cloud_module.Cloud) -> int:
    # Cyborg's API does not show attach handles.
    path = cloud.folder / 'db' / 'cyborg.sqlite'
    with sqlite3.connect(f'file:{path}?mode=ro', uri=True) as connection:
        query = 'SELECT COUNT(*) FROM attach_handles WHERE in_use'
        return int(connection.execute(query).fetchone()[0])
