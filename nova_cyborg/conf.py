# SPDX-License-Identifier: Apache-2.0

"""Configuration options, all in the group ``[nova_cyborg]``.

Each service reads the options that concern it from its own configuration
file: Nova's services from nova.conf, cyborg-agent from cyborg.conf.
"""

import collections.abc

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'nova_cyborg',
    title='Device contexts',
    help='Options of nova_cyborg: accelerators requested by device contexts.',
)

NOVA_OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        'conductor_hooks',
        default=['device_context'],
        help="""
Hooks that nova-conductor runs, in this order, by their names in the entry
point namespace ``nova_cyborg.conductor``.

``device_context`` gives servers the device contexts they are booted with.
Change this only to add a hook of your own; ``noop`` does nothing, and shows
what a hook is asked to do.

Read by nova-conductor; and by nova-api, which checks the device contexts of
new servers if ``device_context`` is among them; from nova.conf. Every
nova-conductor, those of the cells too, and every nova-api needs the same
value.
""",
    ),
    cfg.IntOpt(
        'max_groups_per_server',
        default=8,
        min=1,
        max=64,
        help="""
How many request groups the device contexts of one server may have together.

Each group multiplies the allocation candidates that Placement looks at.
Lower it when scheduling gets slow; raise it only when hosts have few devices
of a kind each.

Read by nova-api, which refuses the server, and by nova-conductor, which
fails it if nova-api has not; from nova.conf. All of them need the same value.
""",
    ),
    cfg.IntOpt(
        'max_device_combinations',
        default=30_000,
        min=1,
        help="""
How many combinations of devices Placement may try for one server.

On each host, Placement tries to give each request group each of the devices
that fit and are free: for four groups and 16 devices, 65,536 times, which
takes it up to seven seconds, and 110 MiB. If a server may need more for its
device contexts and its flavor, it is refused before Placement is asked. One
that asks for a single group is not.

Lower it when Placement is slow; raise it only when Placement has a lot of
memory and time. Rather have Placement prune, and set ``placement_prunes``.

Read by nova-api and nova-conductor, from nova.conf. All need the same value.
""",
    ),
    cfg.BoolOpt(
        'placement_prunes',
        default=False,
        help="""
Whether Placement leaves combinations out that no host has room for.

Set it to true when the placement.conf of every Placement has all of these:
``[placement] max_allocation_candidates = 1000``,
``[placement] allocation_candidates_generation_strategy = breadth-first``,
``[workarounds] optimize_for_wide_provider_trees = true``.
With them, Placement ends at once when groups ask for the same, and such
servers are not refused; ``max_device_combinations`` is left for groups that
ask for different devices of which some are the same. If it is true without
them, any project can keep Placement busy for hours.

Read by nova-api and nova-conductor, from nova.conf. All need the same value.
""",
    ),
]

AGENT_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        'devices_file',
        default='/etc/cyborg/devices.yaml',
        help="""
YAML file that lists the accelerators of a host, for cyborg-agent's
``file_driver``.

Use it for hardware that none of Cyborg's own drivers discovers, for labs and
for tests. It is only read when ``[agent] enabled_drivers`` names
``file_driver``.

Read by cyborg-agent, from cyborg.conf.
""",
    ),
]


def register_nova_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options that Nova's services read.

    :param conf: the service's configuration.
    """
    conf.register_group(GROUP)
    conf.register_opts(NOVA_OPTS, group=GROUP)


def register_agent_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options that cyborg-agent reads.

    :param conf: the agent's configuration.
    """
    conf.register_group(GROUP)
    conf.register_opts(AGENT_OPTS, group=GROUP)


def list_opts() -> collections.abc.Iterable[
    tuple[cfg.OptGroup, list[cfg.Opt]]
]:
    """Return the options for oslo-config-generator.

    :returns: pairs of a group and its options.
    """
    return [(GROUP, NOVA_OPTS + AGENT_OPTS)]
