# SPDX-License-Identifier: Apache-2.0

"""The plugin in processes that begin as Cyborg's services do."""

import inspect
import subprocess
import sys

import pytest

# A service of Cyborg, before its manager is made.
SERVICE = """
import importlib
import sys

import cyborg.cmd
from cyborg.common import service

path, module, name = sys.argv[1:]
service.prepare_service(['cyborg-service', '--config-file', path])
print(getattr(importlib.import_module(module), name).__module__)
"""
DRIVER = """
[oslo_messaging_notifications]
driver = nova_cyborg
"""


@pytest.fixture
def start(tmp_path):
    """Starts a service of Cyborg with some configuration."""

    def _start(configuration, *names):
        path = tmp_path / 'cyborg.conf'
        path.write_text(
            '[DEFAULT]\ntransport_url = fake:/\nuse_stderr = true\n'
            f'state_path = {tmp_path}\n' + inspect.cleandoc(configuration)
        )
        return subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', SERVICE, path, *names],
            capture_output=True,
            text=True,
            timeout=180,
            cwd=tmp_path,
        )

    return _start


@pytest.mark.parametrize(
    ('service', 'name'),
    [('agent', 'AgentManager'), ('conductor', 'ConductorManager')],
)
@pytest.mark.parametrize('configuration', [DRIVER, ''])
def test_a_manager_is_the_plugins(start, service, name, configuration):
    result = start(configuration, f'cyborg.{service}.manager', name)

    assert result.returncode == 0, result.stderr
    ours = 'nova_cyborg.' if configuration else ''
    assert result.stdout.split() == [f'{ours}cyborg.{service}.manager']
    assert ('nova_cyborg is active' in result.stderr) is bool(configuration)
