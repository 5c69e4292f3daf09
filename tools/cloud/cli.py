# SPDX-License-Identifier: Apache-2.0

"""The command line of the cloud."""

import argparse
import collections.abc
import os
import subprocess
import sys

from tools.cloud import arguments, exception, kinds, running, wanted
from tools.cloud import cloud as cloud_module
from tools.cloud.model import credentials
from tools.cloud.supervisor import logs
from tools.cloud.tempest import run as tempest_run
from tools.command_line import signals


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run a command.

    :param argv: its arguments; by default those of the process.
    :returns: the exit status.
    """
    signals.heed()
    parser = arguments.parser(_COMMANDS, running.VARIABLE)
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
        new = cloud.up(_wanted(args))
    except exception.StepFailed as error:
        _show_errors(cloud, error.service)
        raise
    if not new:
        hosts = ', '.join(cloud.hosts())
        print(f'The cloud in {cloud.folder} runs already, with {hosts}.')
    return 0


def _wanted(args: argparse.Namespace) -> wanted.Wanted:
    return wanted.Wanted(
        kind=kinds.PASSTHROUGH if args.passthrough else args.kind,
        computes=args.passthrough or args.computes,
        real=args.real_hosts,
        database=args.database,
        devices=args.devices,
        plugin=args.plugin,
        seconds=args.timeout,
    )


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
