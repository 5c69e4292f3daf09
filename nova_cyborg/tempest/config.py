# SPDX-License-Identifier: Apache-2.0

"""Options of the plugin, read from tempest.conf."""

from oslo_config import cfg

SERVICE_GROUP = cfg.OptGroup('service_available')
GROUP = cfg.OptGroup(
    'device_context',
    title='Device contexts',
    help='Tests of device contexts, which nova_cyborg adds to the '
    'Accelerator service (Cyborg) and to Nova.',
)

_SERVICE_OPTIONS: list[cfg.Opt] = [
    cfg.BoolOpt(
        'nova_cyborg',
        default=True,
        help='Whether the cloud has device contexts. Set it to false to skip '
        'their tests on a cloud without nova_cyborg.',
    ),
]

_OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        'catalog_type',
        default='accelerator',
        help="Type of the Accelerator service in Keystone's catalog.",
    ),
    cfg.StrOpt(
        'endpoint_type',
        default='public',
        choices=[
            *('public', 'admin', 'internal'),
            *('publicURL', 'adminURL', 'internalURL'),
        ],
        help="The Accelerator service's endpoint to use.",
    ),
    cfg.StrOpt(
        'region',
        default='',
        help='Region of the Accelerator service. If it is empty, that of '
        '[identity] is used; if that is empty, the first one found.',
    ),
    cfg.StrOpt(
        'resource_class',
        default='FPGA',
        help='Resource class of which the device contexts of servers ask for '
        "one. Set it to one that the cloud's accelerators have. Each "
        'worker of a run needs two free ones, on one device.',
    ),
    cfg.ListOpt(
        'required_traits',
        default=[],
        help='Traits that the device contexts of servers require. Set them '
        "if not all of the cloud's devices of the resource class are for the "
        'tests.',
    ),
    cfg.StrOpt(
        'host_to_force_down',
        default='',
        help='Compute host that the administrator boots servers on, and '
        'whose nova-compute is forced down, until they have come to another '
        'host: by an evacuation, and by unshelving. It needs two free '
        'devices, and so does another host of its cell. What an evacuated '
        'server leaves on its old host goes away when nova-compute starts '
        'there again. Without a host these tests are skipped.',
    ),
    cfg.BoolOpt(
        'hot_plug',
        default=False,
        help='Whether device contexts can be attached to servers that exist: '
        'nova-api, all nova-conductors, and the nova-compute of each host '
        'with accelerators have a nova_cyborg that can do it, and a guest has '
        'a free slot for two devices ([libvirt] num_pcie_ports). Without it, '
        'the tests of it are skipped.',
    ),
    cfg.BoolOpt(
        'soft_delete',
        default=False,
        help='Whether a deleted server can be restored: reclaim_instance_'
        'interval in nova.conf of nova-api and nova-compute is more than the '
        'seconds that a test takes. Without it, its test is skipped.',
    ),
]


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the groups and their options."""
    return [(SERVICE_GROUP, _SERVICE_OPTIONS), (GROUP, _OPTIONS)]
