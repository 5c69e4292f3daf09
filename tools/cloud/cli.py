# SPDX-License-Identifier: Apache-2.0

"""The command line of the cloud."""

import argparse
import collections.abc
import os
import subprocess
import sys

from tools.cloud import (
    arguments,
    credentials,
    exception,
    kinds,
    logs,
    signals,
)
from tools.cloud import cloud as cloud_module
from tools.cloud.tempest import run as tempest_run


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run a command.

    :param argv: its arguments; by default those of the process.
    :returns: the exit status.
    """
    signals.heed()
    parser = arguments.parser(_COMMANDS, cloud_module.VARIABLE)
    args = arguments.parse(parser, argv)
    try:
        cloud = cloud_module.Cloud(args.state)
        status: int = args.command(cloud, args)
        sys.stdout.flush()
    except exception.CloudError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('Interrupted.', file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has enough. Python would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _up(cloud: cloud_module.Cloud, args: argparse.Namespace) -> int:
    try:
        new = cloud.up(
            args.passthrough or args.computes,
            args.plugin,
            args.devices,
            args.timeout,
            kind=kinds.PASSTHROUGH if args.passthrough else args.kind,
            database=args.database,
            real=args.real_hosts,
        )
    except exception.StepFailed as error:
        _show_errors(cloud, error.service)
        raise
    if not new:
        hosts = ', '.join(cloud.hosts())
        print(f'The cloud in {cloud.folder} runs already, with {hosts}.')
    return 0


def _show_errors(cloud: cloud_module.Cloud, service: str | None) -> None:
    folder = cloud.folder / 'log'
    paths = (
        [folder / f'{service}.log'] if service else cloud.log_paths().values()
    )
    for path in paths:
        print(f'From {path}:', file=sys.stderr)
        print(*logs.telling_lines(path), '', sep='\n', file=sys.stderr)


def _down(cloud: cloud_module.Cloud, args: argparse.Namespace) -> int:
    if cloud.down(args.keep):
        print('Stopped.')
    else:
        print(f'There is no cloud in {cloud.folder}.')
    return 0


def _status(cloud: cloud_module.Cloud, args: argparse.Namespace) -> int:
    services = cloud.status()
    width = max(10, *(len(each.name) for each in services))
    print(f'{"SERVICE":<{width}} {"PID":>7} {"STATE":<9} URL')
    for each in services:
        name = f'{each.name:<{width}}'
        print(f'{name} {each.pid:>7} {each.state:<9} {each.url}'.rstrip())
    return 0 if all(each.running for each in services) else 1


def _env(cloud: cloud_module.Cloud, args: argparse.Namespace) -> int:
    print(credentials.exports(cloud.environment(args.user)))
    return 0


def _xml(cloud: cloud_module.Cloud, args: argparse.Namespace) -> int:
    print(cloud.domain_xml(args.server_id))
    return 0


def _logs(cloud: cloud_module.Cloud, args: argparse.Namespace) -> int:
    paths = list(cloud.log_paths(args.service).values())
    return subprocess.call(logs.tail_command(paths, args.lines, args.follow))


def _tempest(cloud: cloud_module.Cloud, args: argparse.Namespace) -> int:
    return tempest_run.run(cloud, args.further)


_COMMANDS = {
    'up': _up,
    'down': _down,
    'status': _status,
    'env': _env,
    'logs': _logs,
    'xml': _xml,
    'tempest': _tempest,
}
