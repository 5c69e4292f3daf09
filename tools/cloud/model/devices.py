# SPDX-License-Identifier: Apache-2.0

"""The files that list the hosts' accelerators."""

import collections.abc
import pathlib
import shutil

from tools.cloud import exception
from tools.cloud.model import state as cloud_state

SHIPPED = pathlib.Path(__file__).parents[1] / 'devices'


def count(path: pathlib.Path) -> int:
    """Count the devices of a file, as the agent reads it.

    :param path: the file.
    :returns: how many it lists.
    :raises BadDevices: if the agent would not take it.
    """
    # Clouds without the plugin, and without a file, get along without it.
    from nova_cyborg import exception as plugin_exception
    from nova_cyborg.cyborg.agent import devices_file

    try:
        return len(devices_file.parse(str(path), path.read_bytes()))
    except OSError as error:
        raise exception.BadDevices(path, _reason(error)) from error
    except plugin_exception.InvalidDevicesFile as error:
        raise exception.BadDevices(
            path, f'{error.kwargs["entry"]}: {error.kwargs["reason"]}'
        ) from error


def choose(
    hosts: list[str],
    given: collections.abc.Sequence[pathlib.Path],
    shipped: pathlib.Path = SHIPPED,
) -> dict[str, pathlib.Path]:
    """Choose each host's file: the given one, else the one shipped for it.

    :param hosts: the hosts' names.
    :param given: files, the first for the first host and so on.
    :param shipped: the folder of those that are shipped.
    :returns: the file of each host.
    :raises TooManyDevices: if there are fewer hosts than files.
    """
    if len(given) > len(hosts):
        raise exception.TooManyDevices(len(given), len(hosts))
    chosen = {}
    for number, host in enumerate(hosts):
        path = shipped / f'{host}.yaml'
        if number < len(given):
            path = given[number]
        elif not path.exists():
            path = SHIPPED / 'none.yaml'
        chosen[host] = path
    return chosen


def install(state: cloud_state.State, chosen: dict[str, pathlib.Path]) -> None:
    """Copy the hosts' files into the cloud, where they may be changed.

    :param chosen: the file of each host.
    :raises BadDevices: if one cannot be read.
    """
    for host, path in chosen.items():
        try:
            shutil.copyfile(path, state.devices(host))
        except OSError as error:
            raise exception.BadDevices(path, _reason(error)) from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
