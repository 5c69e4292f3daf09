# SPDX-License-Identifier: Apache-2.0

"""The scripts in an environment that has the plain install only."""

import subprocess
import sys

import pytest

_RUN = (
    'import sys; sys.modules["{module}"] = None; sys.argv[1:] = ["--help"]; '
    'from nova_cyborg.cmd import script; sys.exit(script.{command}())'
)


@pytest.mark.parametrize(
    ('command', 'module', 'code', 'extra'),
    [
        ('exporter', 'cyborg', 1, 'nova-cyborg[cyborg,exporter]'),
        ('exporter', 'prometheus_client', 1, 'nova-cyborg[cyborg,exporter]'),
        ('manage', 'cyborg', 1, 'nova-cyborg[cyborg]'),
        ('status', 'oslo_upgradecheck', 255, 'nova-cyborg[nova]'),
    ],
)
def test_it_says_what_to_install(command, module, code, extra):
    done = subprocess.run(
        [sys.executable, '-c', _RUN.format(command=command, module=module)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (code, '')
    assert 'Traceback' not in done.stderr
    assert f'there is no module {module}' in done.stderr
    assert extra in done.stderr
