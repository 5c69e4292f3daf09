# SPDX-License-Identifier: Apache-2.0

"""A real Placement in this process, with hosts that have cards."""

from __future__ import annotations

import collections.abc
import contextlib
import pathlib
import typing as ty
import uuid

from keystoneauth1 import adapter
from oslo_config import cfg
from placement import conf as placement_conf
from placement import direct

from tools.bench import exception

CARDS_PER_HOST = 10
_FPGA = 'FPGA'
# What a host has, and a server asks for.
_HOST = {'VCPU': 1024, 'MEMORY_MB': 1048576}
_SERVER = 'VCPU:1,MEMORY_MB:64'
_TRAIT = 'COMPUTE_ACCELERATORS'
#: What is to be in placement.conf, by section.
PRUNING: dict[str, dict[str, ty.Any]] = {
    'placement': {
        'max_allocation_candidates': 1000,
        'allocation_candidates_generation_strategy': 'breadth-first',
    },
    'workarounds': {'optimize_for_wide_provider_trees': True},
}


def configuration(folder: pathlib.Path) -> cfg.ConfigOpts:
    """Return the configuration of a Placement.

    :param folder: where its database is.
    """
    conf = cfg.ConfigOpts()
    placement_conf.register_opts(conf)
    database = {
        'connection': f'sqlite:///{folder}/placement.sqlite',
        'sync_on_startup': True,
    }
    for name, value in database.items():
        conf.set_override(name, value, group='placement_database')
    conf([], project='placement', default_config_files=[])
    return conf


@contextlib.contextmanager
def pruning(conf: cfg.ConfigOpts) -> collections.abc.Iterator[None]:
    """Have Placement leave out what no host has room for, in a block.

    :param conf: its configuration.
    """
    for group, options in PRUNING.items():
        for name, value in options.items():
            conf.set_override(name, value, group=group)
    try:
        yield
    finally:
        for group, options in PRUNING.items():
            for name in options:
                conf.clear_override(name, group=group)


class Placement:
    """Placement, with its API.

    :param conf: its configuration.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    def add_hosts(self, first: int, end: int) -> None:
        """Add hosts with cards of one slot each.

        :param first: the number of the first one.
        :param end: the number after that of the last one.
        """
        with self._api() as api:
            for number in range(first, end):
                host = _add(api, f'host{number}', None, _HOST)
                _ask(
                    api,
                    'PUT',
                    f'/resource_providers/{host}/traits',
                    {'traits': [_TRAIT], 'resource_provider_generation': 1},
                )
                for card in range(CARDS_PER_HOST):
                    _add(api, f'host{number}_{card}', host, {_FPGA: 1})

    def find(self, groups: int) -> tuple[int, int]:
        """Ask for hosts, as Nova's scheduler does.

        :param groups: how many request groups there are, of one card each.
        :returns: how many candidates there are, and how many bytes the answer
            has.
        """
        query = '&'.join(
            (
                'limit=1000',
                f'resources={_SERVER}',
                f'root_required={_TRAIT}',
                'group_policy=none',
                *(f'resources_{n}={_FPGA}:1' for n in range(groups)),
            )
        )
        with self._api() as api:
            answer = api.get(f'/allocation_candidates?{query}')
        found = answer.json()['allocation_requests']
        return len(found), len(answer.content)

    def _api(self) -> contextlib.AbstractContextManager[adapter.Adapter]:
        made: contextlib.AbstractContextManager[adapter.Adapter] = (
            direct.PlacementDirect(self._conf, latest_microversion=True)
        )
        return made


def _add(
    api: adapter.Adapter, name: str, parent: str | None, has: dict[str, int]
) -> str:
    provider = str(uuid.uuid4())
    body = {'name': name, 'uuid': provider}
    if parent:
        body['parent_provider_uuid'] = parent
    _ask(api, 'POST', '/resource_providers', body)
    inventories = {
        'inventories': {
            each: {'total': total, 'max_unit': total}
            for each, total in has.items()
        },
        'resource_provider_generation': 0,
    }
    path = f'/resource_providers/{provider}/inventories'
    _ask(api, 'PUT', path, inventories)
    return provider


def _ask(api: adapter.Adapter, method: str, path: str, body: ty.Any) -> None:
    answer = api.request(path, method, json=body)
    if not answer.ok:
        raise exception.Refused(
            f'{method} {path}', answer.status_code, answer.text
        )
