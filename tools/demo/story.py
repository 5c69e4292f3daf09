# SPDX-License-Identifier: Apache-2.0

"""What the demo does, step by step."""

import dataclasses
import json
import re
import sqlite3

from lxml import etree

from tools.cloud import cloud as cloud_module
from tools.cloud import exception, kinds, waiting, wanted
from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import guests
from tools.demo import terminal, watcher
from tools.seldom.guest import console, watch

_SECONDS = 90


@dataclasses.dataclass(frozen=True)
class Plot:
    """What is different between the stories.

    :ivar create: the command that makes the device context.
    :ivar boot: the command that boots the server.
    :ivar attached: the command that makes another device context, which is
        attached to the server and detached from it; None if none is.
    :ivar kind: the kind of cloud.
    :ivar computes: whether there is a guest, and it computes.
    :ivar seconds: how long each thing may take.
    """

    create: str
    boot: str
    attached: str | None = None
    kind: str = kinds.EMBEDDED
    computes: bool = False
    seconds: float = _SECONDS


FAKE = Plot(
    'cyborg device-context-create --resources=FPGA_GZIP:1 '
    '--requires=SOME_FOO_CAPABILITY --config-data=key1:val1',
    'nova boot --device-context-id=$CTX_UUID --flavor m1.small '
    '--image cirros vm1',
)
PASSTHROUGH = Plot(
    'cyborg device-context-create --resources=EDU:1 '
    '--requires=FACTORIAL --config-data=key1:val1',
    'nova boot --device-context-id=$CTX_UUID --flavor m1.nano '
    '--image cirros --nic none vm1',
    kind=kinds.PASSTHROUGH,
    computes=True,
    seconds=420,
)
HOT_PLUG = dataclasses.replace(
    FAKE, attached='cyborg device-context-create --resources=QAT:1'
)
_TAG = 'crypto'


def tell(cloud: cloud_module.Cloud, plot: Plot) -> None:
    """Do all the steps.

    :param cloud: a cloud that is not up yet.
    :param plot: which story.
    :raises StepFailed: naming the step that failed.
    :raises CloudError: if the cloud does not come up.
    """
    terminal.step('A cloud of stock services, with the plugin, is started')
    cloud.up(wanted.Wanted(plot.kind))
    play(cloud, plot)


def play(cloud: cloud_module.Cloud, plot: Plot) -> None:
    """Do the steps that follow when a cloud is up.

    :param cloud: the cloud, in which there is nothing yet.
    :param plot: which story.
    :raises StepFailed: naming the step that failed.
    """
    demo = terminal.Session(cloud.environment('demo'))
    admin = terminal.Session(cloud.environment('admin'))
    server_id = _boot(cloud, demo, plot)
    _show(cloud, demo, server_id)
    if plot.computes:
        _compute(cloud, demo, server_id)
    if plot.attached:
        _attach(cloud, demo, server_id, plot.attached)
        _detach(cloud, demo, server_id)
    _delete(cloud, demo, admin, server_id)


def _boot(
    cloud: cloud_module.Cloud, demo: terminal.Session, plot: Plot
) -> str:
    terminal.step('A plain project member makes a device context, and boots')
    context_id = demo.assign('CTX_UUID', plot.create)
    if not re.fullmatch(r'[0-9a-f-]{36}', context_id):
        raise exception.StepFailed(f'"{context_id}" is no UUID')
    terminal.note(f'# {context_id}')
    with watcher.Watcher(cloud.environment('demo'), context_id) as watched:
        demo.run(plot.boot)
        server_id = demo.ask('openstack server show vm1 -f value -c id')
        _wait_active(demo, plot.seconds)
        watched.wait_for('bound', plot.seconds)
    terminal.note('The device context went through: ')
    for seconds, status in watched.seen:
        terminal.note(f'  {seconds:6.2f} s  {status}')
    return server_id


def _wait_active(demo: terminal.Session, seconds: float) -> None:
    def is_active() -> bool:
        server = json.loads(demo.ask('openstack server show vm1 -f json'))
        if server['status'] == 'ERROR':
            raise exception.StepFailed(
                f'the server is in ERROR: {server.get("fault")}'
            )
        return bool(server['status'] == 'ACTIVE')

    waiting.until('the server to be ACTIVE', is_active, seconds)


def _show(
    cloud: cloud_module.Cloud, demo: terminal.Session, server_id: str
) -> None:
    terminal.step('The member sees which host and slot it got')
    demo.run('cyborg device-context-show $CTX_UUID')
    shown = json.loads(
        demo.ask('cyborg device-context-show -f json $CTX_UUID')
    )
    terminal.step("And the device is in the guest's libvirt config")
    _show_hostdevs(
        cloud, server_id, [each['arq_id'] for each in shown['devices']]
    )


def _show_hostdevs(
    cloud: cloud_module.Cloud, server_id: str, arq_ids: list[str]
) -> None:
    """Show the devices of the guest, which are to be those of ARQs."""
    guest = etree.fromstring(cloud.domain_xml(server_id).encode())
    hostdevs = guest.findall('.//hostdev')
    for hostdev in hostdevs:
        etree.indent(hostdev)
        terminal.note(etree.tostring(hostdev, encoding='unicode').rstrip())
    aliases = [each.find('alias').get('name') for each in hostdevs]
    expected = [f'ua-{each}' for each in arq_ids]
    if sorted(aliases) != sorted(expected):
        raise exception.StepFailed(
            f'the guest has the devices {aliases}, not {expected}'
        )


def _attach(
    cloud: cloud_module.Cloud,
    demo: terminal.Session,
    server_id: str,
    create: str,
) -> None:
    terminal.step('The server runs, and gets another device, with a tag')
    context_id = demo.assign('NEW_UUID', create)
    terminal.note(f'# {context_id}')
    demo.run(
        f'openstack server add device context --wait --tag {_TAG} vm1 '
        '$NEW_UUID'
    )
    listed = demo.run('openstack server device context list vm1')
    if _TAG not in listed:
        raise exception.StepFailed(f'the tag {_TAG} is not shown')
    terminal.step('The guest has both devices')
    _show_hostdevs(cloud, server_id, _arq_ids(demo))


def _detach(
    cloud: cloud_module.Cloud, demo: terminal.Session, server_id: str
) -> None:
    terminal.step('It is taken out again, and the first one stays')
    demo.run('openstack server remove device context --wait vm1 $NEW_UUID')
    _show_hostdevs(cloud, server_id, _arq_ids(demo))
    demo.run('cyborg device-context-delete $NEW_UUID')


def _arq_ids(demo: terminal.Session) -> list[str]:
    """Return the UUIDs of the ARQs of what the server's member sees."""
    shown = json.loads(
        demo.ask('openstack accelerator device context list --long -f json')
    )
    return [device['arq_id'] for each in shown for device in each['devices']]


def _compute(
    cloud: cloud_module.Cloud, demo: terminal.Session, server_id: str
) -> None:
    terminal.step('The guest computes with its device: 10! is 3628800')
    state = cloud_state.State.load(cloud.folder)
    if state is None:
        raise exception.NotRunning(cloud.folder)
    # If it hangs, what is seen of it is in the error.
    watch.until_ready(guests.find(state, server_id), lambda boot: True)
    log = demo.run(f"nova console-log vm1 | grep '{console.PREFIX}'")
    results = [console.Boot(''), *console.parse(log)][-1].results
    if not any(' 10=3628800 ' in result for _word, result in results):
        raise exception.StepFailed('the guest has not computed')


def _delete(
    cloud: cloud_module.Cloud,
    demo: terminal.Session,
    admin: terminal.Session,
    server_id: str,
) -> None:
    terminal.step('The server is deleted, and nothing is left of it')
    demo.run('nova delete vm1')
    waiting.until(
        'the server to be gone',
        lambda: not demo.ask('openstack server list -f value'),
        _SECONDS,
    )
    _empty(demo, 'cyborg device-context-list -f value')
    _empty(admin, 'openstack accelerator arq list -f value')
    _empty(
        admin,
        f'openstack resource provider allocation show {server_id} -f value',
    )
    used = _slots_in_use(cloud)
    terminal.note(f'Attach handles in use in Cyborg: {used}')
    if used:
        raise exception.StepFailed(f'{used} slots are still in use')


def _empty(session: terminal.Session, command: str) -> None:
    output = session.run(command).strip()
    if output:
        raise exception.StepFailed(f'"{command}" still shows something')
    terminal.note('# nothing')


def _slots_in_use(cloud: cloud_module.Cloud) -> int:
    # Cyborg's API does not show attach handles.
    path = cloud.folder / 'db' / 'cyborg.sqlite'
    with sqlite3.connect(f'file:{path}?mode=ro', uri=True) as connection:
        query = 'SELECT COUNT(*) FROM attach_handles WHERE in_use'
        return int(connection.execute(query).fetchone()[0])
