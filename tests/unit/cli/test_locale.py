# SPDX-License-Identifier: Apache-2.0

"""Names in any script, in the plainest locale that there is."""

import json
import os
import subprocess
import sys

import pytest

from tests.unit.cli.conftest import CYBORG

NAME = '漢字 Größe 😀'
# A process of its own: a locale is the whole process's.
PROGRAM = """
import sys
import requests_mock
from nova_cyborg.cli.commands import shell
with requests_mock.Mocker() as mock:
    mock.get(requests_mock.ANY, json={'device_contexts': [eval(sys.argv[1])]})
    mock.post(requests_mock.ANY, json=eval(sys.argv[1]))
    code = shell.main(sys.argv[2:])
    sent = mock.last_request
    print(ascii(sent.json() if sent.body else sent.qs))
sys.exit(code)
"""


def run(*argv: str) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('LC_', 'LANG', 'OS_', 'PYTHONIOENCODING'))
    }
    shown = ascii({'uuid': 'u1', 'name': NAME, 'description': NAME})
    done = subprocess.run(
        (
            *(sys.executable, '-W', 'ignore', '-c', PROGRAM, shown),
            *('--os-auth-type', 'none', '--os-endpoint', CYBORG, *argv),
        ),
        env=environment | {'LANG': 'C', 'LC_ALL': 'C'},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize('output', ['table', 'value', 'json', 'csv'])
def test_a_list(output: str) -> None:
    out = run('device-context-list', '--name', NAME, '-f', output)

    if output == 'json':
        (shown,) = json.loads(out.partition(']')[0] + ']')
        assert shown['name'] == NAME
    else:
        assert NAME in out
    assert ascii(NAME.lower()) in out


def test_a_description_is_sent() -> None:
    out = run(
        'device-context-create',
        *('--resources', 'FPGA:1', '--name', NAME, '--description', NAME),
    )

    assert out.count(ascii(NAME)) == 2
