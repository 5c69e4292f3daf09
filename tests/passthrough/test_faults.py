# SPDX-License-Identifier: Apache-2.0

"""A device is not there for the guest, although Cyborg says so."""

import collections.abc
import contextlib
import json
import pathlib
import subprocess

from tests.e2e import contexts, person, servers
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module

Choose = collections.abc.Callable[[str | None], None]

_FOREIGN = """\
<domain type="qemu">
  <name>foreign</name>
  <memory unit="MiB">32</memory>
  <os><type arch="x86_64">hvm</type></os>
  <devices>
    <hostdev mode="subsystem" type="pci" managed="yes">
      <source>
        <address domain="0" bus="0" slot="0x{slot}" function="0"/>
      </source>
    </hostdev>
  </devices>
</domain>
"""


def test_a_device_that_a_foreign_guest_has(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: Choose,
    tmp_path: pathlib.Path,
) -> None:
    only_host('compute2')
    [address] = hypervisors.devices('compute2', 'edu')
    context_id = contexts.create(demo, resources={'EDU': 1})
    with _foreign_guest(cloud, 'compute2', address, tmp_path):
        server_id = servers.boot(demo, context_id, flavor=guests.FLAVOR)
        fault = servers.wait_fault(demo, server_id)
        assert address in fault['message']
        assert 'in use' in fault['message']
        contexts.wait_until(demo, context_id, 'available')
        assert _audit(cloud) == f'compute2/{address}'
        servers.delete(demo, [server_id])
    again = guests.boot(demo, context_id)
    boot = guests.wait_ready(cloud, demo, again)
    guests.check(cloud, demo, again, boot, context_id)


def test_a_device_that_is_gone(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: Choose,
) -> None:
    only_host('compute2')
    [address] = hypervisors.devices('compute2', 'edu')
    context_id = contexts.create(demo, resources={'EDU': 1})
    with hypervisors.removed(cloud, 'compute2', address):
        server_id = servers.boot(demo, context_id, flavor=guests.FLAVOR)
        fault = servers.wait_fault(demo, server_id)
        assert address in fault['message']
        contexts.wait_until(demo, context_id, 'available')
        assert _audit(cloud) == f'compute2/{address}'


def _audit(cloud: cloud_module.Cloud) -> str:
    config = cloud.folder / 'etc' / 'cyborg' / 'cyborg.conf'
    done = subprocess.run(
        [
            *('nova-cyborg-manage', '--config-file', str(config)),
            *('audit', '--format', 'json', '--grace', '1'),
        ],
        env=person.shell_environment(),
        capture_output=True,
        text=True,
        timeout=person.COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 1, done
    [row] = json.loads(done.stdout)
    assert row['kind'] == 'device-not-given', row
    return str(row['subject'])


@contextlib.contextmanager
def _foreign_guest(
    cloud: cloud_module.Cloud, host: str, address: str, folder: pathlib.Path
) -> collections.abc.Iterator[None]:
    path = folder / 'foreign.xml'
    path.write_text(_FOREIGN.format(slot=address[8:10]))
    hypervisors.ask(cloud, host, 'create', '--paused', str(path))
    try:
        yield
    finally:
        hypervisors.ask(cloud, host, 'destroy', 'foreign')
        hypervisors.wait_for_driver(cloud, host, address)
