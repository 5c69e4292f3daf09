# SPDX-License-Identifier: Apache-2.0

"""Keystone's first content: users, projects, roles and the catalog."""

import uuid

from keystone.cmd import bootstrap
from keystone.common import provider_api

from tools.cloud.model import settings
from tools.cloud.model import state as cloud_state

PROVIDERS = provider_api.ProviderAPIs

_DOMAIN = 'default'
_TYPES = {
    'placement': 'placement',
    'glance': 'image',
    'neutron': 'network',
    'nova': 'compute',
    'cyborg': 'accelerator',
}


def create(state: cloud_state.State) -> None:
    """Make what clients and services log in with, and find."""
    roles = _bootstrap(state)
    service_project = _project('service')
    for service, service_type in _TYPES.items():
        user = _user(state, service)
        for role in ('admin', 'service'):
            _grant(user, service_project, roles[role])
        _endpoint(service, service_type, state.url(service))
    for name, project in settings.PEOPLE.items():
        if name != 'admin':
            _grant(_user(state, name), _project(project), roles['member'])


def _bootstrap(state: cloud_state.State) -> dict[str, str]:
    boot = bootstrap.Bootstrapper()
    boot.admin_username = 'admin'
    boot.admin_password = state.settings.passwords['admin']
    boot.admin_role_name = 'admin'
    boot.project_name = settings.PEOPLE['admin']
    boot.service_name = 'keystone'
    boot.region_id = settings.REGION
    boot.public_url = state.url('keystone')
    boot.internal_url = state.url('keystone')
    boot.bootstrap()
    return {
        'admin': boot.admin_role_id,
        'member': boot.member_role_id,
        'service': boot.service_role_id,
    }


def _project(name: str) -> str:
    project_id = uuid.uuid4().hex
    PROVIDERS.resource_api.create_project(
        project_id,
        {
            'id': project_id,
            'name': name,
            'domain_id': _DOMAIN,
            'description': '',
            'enabled': True,
        },
    )
    return project_id


def _user(state: cloud_state.State, name: str) -> str:
    user = PROVIDERS.identity_api.create_user(
        {
            'name': name,
            'password': state.settings.passwords[name],
            'domain_id': _DOMAIN,
            'enabled': True,
        }
    )
    return str(user['id'])


def _grant(user: str, project: str, role: str) -> None:
    PROVIDERS.assignment_api.add_role_to_user_and_project(user, project, role)


def _endpoint(service: str, service_type: str, url: str) -> None:
    service_id = uuid.uuid4().hex
    PROVIDERS.catalog_api.create_service(
        service_id, {'id': service_id, 'name': service, 'type': service_type}
    )
    for interface in ('public', 'internal'):
        endpoint_id = uuid.uuid4().hex
        PROVIDERS.catalog_api.create_endpoint(
            endpoint_id,
            {
                'id': endpoint_id,
                'interface': interface,
                'url': url,
                'service_id': service_id,
                'region_id': settings.REGION,
                'enabled': True,
            },
        )
