# SPDX-License-Identifier: Apache-2.0

"""The plugin in processes that begin as Nova's services do."""

import inspect
import os
import subprocess
import sys

import pytest

# A service of Nova, as far as configuration and the RPC set up go, which is
# before any manager is made.
SERVICE = """
import importlib
import sys

# As every service does: it chooses the kind of threads in some releases.
import nova.cmd
from nova import conf, config
from oslo_log import log

path, *modules = sys.argv[1:]
sys.argv = ['nova-conductor', '--config-file', path]
config.parse_args(sys.argv)
log.setup(conf.CONF, 'nova')
for name in modules:
    module = importlib.import_module(name)
print('UP')
if not modules:
    print([name for name in sys.modules if name.startswith('nova_cyborg')])
elif hasattr(module, 'ServersController'):
    print(type(module.ServersController().compute_api).__module__)
    print(module.compute.API.__module__)
else:
    print(module.ComputeTaskManager.__module__)
"""


@pytest.fixture
def start(tmp_path):
    """Starts a service of Nova with some configuration."""

    def _start(configuration, *modules):
        path = tmp_path / 'nova.conf'
        path.write_text(
            '[DEFAULT]\ntransport_url = fake:/\nuse_stderr = true\n'
            f'state_path = {tmp_path}\n' + inspect.cleandoc(configuration)
        )
        return subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', SERVICE, path, *modules],
            capture_output=True,
            text=True,
            timeout=180,
            cwd=tmp_path,
            env={**os.environ, 'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'},
        )

    return _start


class TestService:
    def test_the_driver_in_the_configuration_activates_the_plugin(self, start):
        result = start(
            """
            [oslo_messaging_notifications]
            driver = noop
            driver = nova_cyborg
            """,
            'nova.conductor.manager',
        )

        assert result.returncode == 0, result.stderr
        assert result.stdout.split() == [
            'UP',
            'nova_cyborg.nova.conductor.manager',
        ]
        assert 'conductor hooks device_context' in result.stderr

    def test_what_the_process_does_not_use_is_not_imported(self, start):
        result = start(
            """
            [oslo_messaging_notifications]
            driver = nova_cyborg
            """
        )

        assert result.returncode == 0, result.stderr
        assert 'nova_cyborg.plugin' in result.stdout
        for name in ('api', 'conductor', 'compute', 'libvirt'):
            assert f'hooks.{name}' not in result.stdout

    def test_nova_api_checks_hints(self, start):
        result = start(
            """
            [oslo_messaging_notifications]
            driver = nova_cyborg
            """,
            'nova.api.openstack.compute.servers',
        )

        assert result.returncode == 0, result.stderr
        # Nova's own class is what it was: other processes use it, too.
        assert result.stdout.split() == [
            'UP',
            'nova_cyborg.nova.api.compute_api',
            'nova.compute.api',
        ]
        assert 'check of the hint for device contexts' in result.stderr

    @pytest.mark.parametrize(
        'module',
        [
            'nova.compute.manager',
            'nova.conductor.manager',
            'nova.scheduler.manager',
            'nova.api.metadata.handler',
        ],
    )
    def test_other_services_do_not_check_hints(self, start, module):
        result = start(
            """
            [oslo_messaging_notifications]
            driver = nova_cyborg
            """,
            module,
            'nova.conductor.manager',
        )

        assert result.returncode == 0, result.stderr
        assert 'conductor hooks device_context' in result.stderr
        assert 'check of the hint' not in result.stderr

    def test_without_the_driver_nova_is_stock(self, start):
        result = start('', 'nova.conductor.manager')

        assert result.returncode == 0, result.stderr
        assert result.stdout.split() == ['UP', 'nova.conductor.manager']

    def test_a_hook_that_is_unknown_stops_the_service(self, start):
        result = start(
            """
            [oslo_messaging_notifications]
            driver = nova_cyborg
            [nova_cyborg]
            conductor_hooks = device_context,nonesuch
            """,
            'nova.conductor.manager',
        )

        assert result.returncode != 0
        assert 'UP' not in result.stdout
        (line,) = [
            line for line in result.stderr.splitlines() if 'CRITICAL' in line
        ]
        assert 'no conductor hook nonesuch' in line
