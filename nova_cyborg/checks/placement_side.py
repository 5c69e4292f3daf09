# SPDX-License-Identifier: Apache-2.0

"""What is checked with placement.conf, on a host of Placement.

Placement need not be installed for it: its options are read as it reads them.
"""

from __future__ import annotations

import collections.abc
import importlib.metadata

from oslo_config import cfg

from nova_cyborg.checks import results

# The first release that has all of the options.
_FIRST = 16
_PACKAGE = 'openstack-placement'
_BEST = 1000
_MOST = 10_000
_BREADTH = 'breadth-first'
_CONF = cfg.ConfigOpts()
_OPTIONS = {
    'placement': [
        cfg.IntOpt('max_allocation_candidates', default=-1),
        cfg.StrOpt(
            'allocation_candidates_generation_strategy', default='depth-first'
        ),
    ],
    'workarounds': [
        cfg.BoolOpt('optimize_for_wide_provider_trees', default=False)
    ],
}


def prepare(files: collections.abc.Sequence[str]) -> None:
    """Read the configuration.

    :param files: configuration files; none for Placement's usual places.
    """
    for group, options in _OPTIONS.items():
        _CONF.register_opts(options, group=group)
    _CONF([], project='placement', default_config_files=list(files) or None)


def prunes() -> results.Result:
    """Check that Placement leaves out combinations that have no room."""
    missing = list(_missing())
    if missing:
        return results.warning(
            f'placement.conf has not {", ".join(missing)}. Set this in that '
            'of every Placement, and restart them. Until then, [nova_cyborg] '
            'placement_prunes of nova.conf must be false, and servers with '
            'several devices of one kind are refused that could be built.'
        )
    found = _release()
    if found and int(found.partition('.')[0]) < _FIRST:
        return results.warning(
            f'Placement {found} does not know all options that are set in '
            f'placement.conf. Leave [nova_cyborg] placement_prunes of '
            f'nova.conf false until it is upgraded to {_FIRST}.'
        )
    here = f'Placement {found}' if found else f'Placement, from {_FIRST} on,'
    return results.success(
        f'{here} prunes. [nova_cyborg] placement_prunes of nova.conf may be '
        'true.'
    )


def _missing() -> collections.abc.Iterator[str]:
    most = _CONF.placement.max_allocation_candidates
    if not 0 < most <= _MOST:
        yield f'[placement] max_allocation_candidates = {_BEST}'
    strategy = _CONF.placement.allocation_candidates_generation_strategy
    if strategy != _BREADTH:
        yield (
            '[placement] allocation_candidates_generation_strategy = '
            f'{_BREADTH}'
        )
    if not _CONF.workarounds.optimize_for_wide_provider_trees:
        yield '[workarounds] optimize_for_wide_provider_trees = true'


def _release() -> str | None:
    try:
        return importlib.metadata.version(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        # It is not installed where this command is.
        return None


CHECKS: results.Checks = {'Placement: options': prunes}
