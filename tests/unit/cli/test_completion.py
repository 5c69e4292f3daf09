# SPDX-License-Identifier: Apache-2.0

"""What shells complete, of each client."""

from tests.unit.cli.conftest import Cloud, Run


def test_openstack(cloud: Cloud, openstack: Run) -> None:
    result = openstack('complete')

    assert result.code == 0, result.err
    commands = _line(result.out, 'cmds_accelerator_device_context')
    for command in ('create', 'explain', 'options', 'unset'):
        assert command in commands
    for option in ('--keep-on-termination', '--no-tag', '--no-tags'):
        assert option in _line(
            result.out, 'cmds_accelerator_device_context_set'
        )
    for command in ('add', 'remove'):
        line = _line(result.out, f'cmds_server_{command}_device_context')
        assert '--wait' in line


def test_cyborg(cyborg: Run) -> None:
    # What is printed for a shell needs no cloud.
    result = cyborg('complete')

    assert result.code == 0, result.err
    assert 'device-context-unset' in _line(result.out, 'cmds')
    assert '--server' in _line(result.out, 'cmds_device_context_list')
    assert '--count' in _line(result.out, 'cmds_device_context_create')


def test_nova(nova: Run) -> None:
    result = nova('bash-completion')

    assert result.code == 0, result.err
    words = result.out.split()
    for word in ('device-context-detach', '--device-context-id', '--wait'):
        assert word in words


def _line(text: str, variable: str) -> str:
    (line,) = (
        line
        for line in text.splitlines()
        if line.strip().startswith(f'{variable}=')
    )
    return line
