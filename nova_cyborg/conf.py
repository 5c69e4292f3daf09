# SPDX-License-Identifier: Apache-2.0

"""Configuration options, all in the group ``[nova_cyborg]``.

Each service reads the options that concern it from its own configuration
file: Nova's services from nova.conf, Cyborg's from cyborg.conf.
"""

import collections.abc

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'nova_cyborg',
    title='Device contexts',
    help='Options of nova_cyborg: accelerators requested by device contexts.',
)

#: What Nova's services and cyborg-api bound alike.
_SHARED_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        'max_accelerators_per_server',
        default=64,
        min=1,
        max=512,
        help="""
How many accelerators the device contexts of one server may ask for together,
and so one device context: the sum of the amounts of all resource classes of
all its groups.

Each is an accelerator request (ARQ) of Cyborg, which is bound, shown and
deleted one by one. Raise it only for hosts that have more devices than that.

Read by cyborg-api, which refuses device contexts that ask for more, and to
reserve them, from cyborg.conf; by nova-api, which refuses the server, and by
nova-conductor, which fails it if nova-api has not, from nova.conf. All of them
need the same value.
""",
    ),
]

#: What is done with the events that a service of Cyborg's records.
_EVENT_OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        'versioned_notifications_topics',
        default=[],
        help="""
Topics of the message bus to which each event of a device context is sent as a
versioned notification. If there is none, none are sent.

Name one that somebody consumes, such as ``versioned_notifications``, and have
``messagingv2`` beside ``nova_cyborg`` in ``[oslo_messaging_notifications]
driver``. Without a consumer, messages gather in the message bus.

Read by cyborg-api and cyborg-conductor, from cyborg.conf.
""",
    ),
    cfg.FloatOpt(
        'metrics_interval',
        default=10,
        min=0,
        help="""
After how many seconds a process adds what it has counted to the database,
where ``nova-cyborg-exporter`` finds it: events, how long bindings took, and
requests that were refused. 0 counts nothing.

It is a few statements for each process in which anything has happened. Raise
it if these are too many; what a process has not added is lost when it is
killed.

Read by cyborg-api and cyborg-conductor, from cyborg.conf.
""",
    ),
]

NOVA_OPTS: list[cfg.Opt] = [
    *_SHARED_OPTS,
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
    cfg.IntOpt(
        'build_interrupted_after',
        default=420,
        min=0,
        help="""
Seconds after which the build of a server with device contexts is taken to be
interrupted, if the server has got to no host, and nothing was done with it for
so long: nova-conductor puts the server into error, and releases its device
contexts. Stock Nova would leave it in BUILD for ever when a nova-conductor, or
a nova-compute, is killed before it has begun.

It has to be longer than all of that takes: to schedule the server, and those
that are created by the same request, to bind its devices, and to wait for its
turn on a host that builds as many servers as its ``max_concurrent_builds`` at
a time. 0 leaves such servers as they are.

Read by nova-conductor, from nova.conf, where there is an API database. All
need the same value.
""",
    ),
    cfg.FloatOpt(
        'release_retry_interval',
        default=5.0,
        min=0.0,
        help="""
Seconds until Cyborg is asked again for what it did not do.

A server that is deleted, moved or not built goes its way even if cyborg-api
does not answer. nova-compute then asks again, after this time, after twice
this time and so on, up to a minute, until the server's devices and device
contexts are released. It asks for nothing else, and not at all otherwise. With
0, it asks once: what is left then is up to the reconciler in cyborg-conductor,
or to the audit.

Raise it if many nova-computes wait for one cyborg-api that is slow to start.

Read by nova-compute, from nova.conf.
""",
    ),
]

API_OPTS: list[cfg.Opt] = [
    *_SHARED_OPTS,
    cfg.IntOpt(
        'max_contexts_per_project',
        default=1000,
        min=-1,
        help="""
How many device contexts a project may have, those that servers hold and those
that none does. -1 means as many as it likes.

Raise it for projects with more servers that have accelerators. A project that
has more already keeps them, and makes no other.

Read by cyborg-api, from cyborg.conf. Every cyborg-api needs the same value.
""",
    ),
    cfg.BoolOpt(
        'enforce_limits',
        default=False,
        help="""
Whether projects have the limits that are registered in Keystone for the
Accelerator service: of ``device_contexts``, and of resource classes by their
names in Placement, such as ``class:FPGA``. What is not registered is not
limited.

If it is true, Keystone is asked when a device context is made, and when a
server is to get one; while Keystone does not answer, neither is done. It is
asked as ``[oslo_limit]`` says. If it is false, it is not asked.

Read by cyborg-api, from cyborg.conf. Every cyborg-api needs the same value.
""",
    ),
    cfg.ListOpt(
        'allowed_resource_classes',
        default=[],
        help="""
Resource classes that device contexts may ask for, when a server is to get
them. A name other than FPGA, PGPU and VGPU stands for a custom class, with
``CUSTOM_`` or without.

If there is none, these are the classes that Cyborg's agents have reported.
Name them when members are to have only some of these. ``*`` stands for any
class: also one that has nothing to do with accelerators, as of licenses.

Read by cyborg-api, from cyborg.conf. Every cyborg-api needs the same value.
""",
    ),
    *_EVENT_OPTS,
]

CONDUCTOR_OPTS: list[cfg.Opt] = [
    *_EVENT_OPTS,
    cfg.IntOpt(
        'event_days',
        default=30,
        min=1,
        max=3650,
        help="""
For how many days the events of device contexts are kept; of each one at most
the newest 200. Those of a device context outlive it.

An event takes about 500 bytes in the database, and a server with one device
context makes five. Lower it if the table ``device_context_events`` gets too
large. Nothing is deleted while ``reconcile_interval`` is 0.

Read by cyborg-conductor, from cyborg.conf. Every one needs the same value.
""",
    ),
    cfg.IntOpt(
        'deleted_events_per_project',
        default=100_000,
        min=0,
        help="""
How many events of device contexts that are deleted are kept of each project:
the newest ones. Each ten minutes, the others are deleted, however old they
are. So a project that makes and deletes device contexts without end does not
fill the database.

100,000 are about 50 MB; a project has more if it boots more than 20,000
servers with device contexts in ``event_days``. Raise it for such projects.
Nothing is deleted while ``reconcile_interval`` is 0.

Read by cyborg-conductor, from cyborg.conf. Every one needs the same value.
""",
    ),
    cfg.FloatOpt(
        'reconcile_interval',
        default=10,
        min=0,
        help="""
How many seconds pass between two rounds in which cyborg-conductor looks for
what disagrees between Cyborg and Nova, and puts it right. 0 is never: then
nothing is put right but by ``nova-cyborg-manage audit --repair``.

A round costs some ten statements and at most as many requests to Nova as
``reconcile_resync`` says and one more, two more in a minute, if nothing is
wrong, however many servers there are. Raise it if that is too much; what a
service that was killed has left then stays longer. Set 0 to look into
something that disagrees, before it is put right.

Read by cyborg-conductor, from cyborg.conf. One of them at a time does it;
every one needs the same value.
""",
    ),
    cfg.FloatOpt(
        'reconcile_grace',
        default=15,
        min=0,
        help="""
For how many seconds something must disagree to be put right: it is looked at
twice, as far apart as that.

Raise it if Nova takes longer from when it has told Cyborg of a server to when
it shows the same itself, as with a database that is slow to replicate. Less
has what is left of servers put right sooner.

Read by cyborg-conductor, from cyborg.conf.
""",
    ),
    cfg.FloatOpt(
        'reconcile_budget',
        default=5,
        min=0.1,
        help="""
How many seconds a round may take. What is left is done in the next one, which
begins a second later then.

Raise it if a lot is to be put right, as after Cyborg was off for long, and the
log says that it takes too long; lower it if a cyborg-conductor is slow to bind
devices meanwhile.

Read by cyborg-conductor, from cyborg.conf.
""",
    ),
    cfg.IntOpt(
        'reconcile_resync',
        default=20,
        min=0,
        help="""
Of how many servers with which all seemed to be well Nova is asked in a round,
in turn.

This finds what Nova lists among no changes, and what somebody has changed in a
database. With 10,000 servers, 20 in 10 seconds take an hour and a half for all
of them. Raise it for larger clouds whose Nova bears the requests; 0 is none.

Read by cyborg-conductor, from cyborg.conf.
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


def register_api_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options that cyborg-api reads.

    :param conf: the service's configuration.
    """
    conf.register_group(GROUP)
    conf.register_opts(API_OPTS, group=GROUP)


def register_conductor_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options that cyborg-conductor reads.

    :param conf: the conductor's configuration.
    """
    conf.register_group(GROUP)
    conf.register_opts(CONDUCTOR_OPTS, group=GROUP)


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
    options = {
        opt.name: opt
        for opt in NOVA_OPTS + API_OPTS + CONDUCTOR_OPTS + AGENT_OPTS
    }
    return [(GROUP, list(options.values()))]
