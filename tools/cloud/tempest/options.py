# SPDX-License-Identifier: Apache-2.0

"""tempest.conf."""

import collections.abc
import pathlib

from tools.cloud import exception
from tools.cloud.configs import base
from tools.cloud.tempest import facts as cloud_facts

# Those of tempest and its plugins that not every cloud has.
_SERVICES = {
    'cinder': {'volumev3', 'block-storage', 'volume'},
    'cyborg': {'accelerator'},
    'glance': {'image'},
    'neutron': {'network'},
    'nova': {'compute'},
    'nova_cyborg': {'accelerator'},
    'swift': {'object-store'},
}


def options(
    environment: collections.abc.Mapping[str, str],
    facts: cloud_facts.Facts,
    folder: pathlib.Path,
) -> base.Options:
    """Return tempest's options.

    tempest makes its accounts itself, a project and users of each role for
    each class of tests, as the administrator.

    :param environment: the variables with which the administrator logs in.
    :param facts: what the cloud says of itself.
    :param folder: where tempest may write.
    :raises StepFailed: if the cloud lacks what no test can do without.
    """
    return {
        'DEFAULT': {'log_dir': str(folder / 'log'), 'log_file': 'tempest.log'},
        'oslo_concurrency': {'lock_path': str(folder / 'locks')},
        'auth': {
            'admin_username': environment['OS_USERNAME'],
            'admin_password': environment['OS_PASSWORD'],
            'admin_project_name': environment['OS_PROJECT_NAME'],
            'admin_domain_name': environment['OS_USER_DOMAIN_NAME'],
            'create_isolated_networks': 'false',
        },
        'identity': {
            'uri_v3': environment['OS_AUTH_URL'],
            'region': environment['OS_REGION_NAME'],
        },
        'service_available': _services(facts),
        'compute': _compute(facts),
        'compute-feature-enabled': _compute_features(facts),
        'placement': {'max_microversion': 'latest'},
        'validation': {'run_validation': 'false'},
        # For Cyborg's own plugin: its policies are the new ones by default.
        'cyborg_policy': {'enforce_new_defaults': 'true'},
        'device_context': _device_context(facts),
    }


def _services(facts: cloud_facts.Facts) -> dict[str, str]:
    there = facts.service_types()
    return {
        name: str(bool(types & there)) for name, types in _SERVICES.items()
    }


def _compute(facts: cloud_facts.Facts) -> dict[str, str]:
    images, flavors = facts.images(), facts.flavors()
    networks = facts.shared_networks()
    return {
        'image_ref': images[0],
        # The same one serves where there is no other.
        'image_ref_alt': images[:2][-1],
        'flavor_ref': flavors[0],
        'flavor_ref_alt': flavors[:2][-1],
        'fixed_network_name': networks[0] if networks else '',
        'min_compute_nodes': str(facts.hosts()),
        'max_microversion': 'latest',
    }


def _compute_features(facts: cloud_facts.Facts) -> dict[str, str]:
    has_several = str(facts.hosts() > 1)
    return {
        'resize': has_several,
        'cold_migration': has_several,
        'live_migration': has_several,
        'block_migration_for_live_migration': has_several,
        # Not from one cell to another: the scheduler chooses.
        'can_migrate_between_any_hosts': 'false',
    }


def _device_context(facts: cloud_facts.Facts) -> dict[str, str]:
    chosen = resource_class(facts)
    hosts = facts.hosts_with(chosen)
    return {
        'resource_class': chosen,
        'host_to_force_down': hosts[0] if len(hosts) > 1 else '',
        'hot_plug': 'true',
    }


def resource_class(facts: cloud_facts.Facts) -> str:
    """Choose the resource class that the tests' device contexts ask for.

    :param facts: what the cloud says of itself.
    :returns: the one of which a device has the most.
    :raises StepFailed: if there are no accelerators.
    """
    numbers = facts.accelerators()
    if not numbers:
        raise exception.StepFailed(
            'The cloud has no accelerators. See what its agents report: '
            '"openstack accelerator device list".'
        )
    return max(numbers, key=lambda name: (max(numbers[name]), name))
