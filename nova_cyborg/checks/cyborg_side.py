# SPDX-License-Identifier: Apache-2.0

"""What is checked with cyborg.conf, on a host of cyborg-api."""

from __future__ import annotations

import collections.abc
import configparser
import os

import cyborg.api.app  # noqa: F401 - for the options of cyborg-api
import oslo_messaging as messaging
from cyborg.common import config, nova_client
from cyborg.conf import CONF
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc
from openstack import proxy
from oslo_log import log

from nova_cyborg import exception
from nova_cyborg.checks import policies, reconciling, releases, results
from nova_cyborg.checks.services import cyborg_services
from nova_cyborg.db import session
from nova_cyborg.db.migrations import migration

_PLUGIN = 'nova_cyborg'
_SECTION = 'app:api_v2'
_FACTORY = 'nova_cyborg.api.app:app_factory'
# Roles that people have.
_ROLES_OF_MEMBERS = frozenset(('member', 'reader', '_member_'))
_ADMIN_NEEDED = (
    "Give the user of cyborg.conf's [nova] section the role admin: to others "
    'Nova does not show the servers of all projects, and what those that were '
    'deleted have left stays bound.'
)


def prepare(files: collections.abc.Sequence[str]) -> None:
    """Read the configuration.

    :param files: configuration files; none for Cyborg's usual places.
    """
    # As Cyborg's services do, but with no oslo.log: what is said here is for
    # the operator.
    log.register_options(CONF)
    config.parse_args(['cyborg', *(f'--config-file={name}' for name in files)])


def release() -> results.Result:
    """Check the release of Cyborg."""
    return releases.check(releases.CYBORG)


def schema() -> results.Result:
    """Check that the tables are those of this release."""
    try:
        engine = session.named_engine()
    except exception.NoDatabase as exc:
        return results.failure(f'{exc} Say --cyborg-config-file PATH.')
    found, needed = migration.version(engine), migration.head()
    if found == needed:
        return results.success(f'The tables are at revision {found}.')
    return results.failure(
        f'The tables are at revision {found}, {needed} is needed. Run '
        '"nova-cyborg-manage db upgrade" with the --config-file of '
        'cyborg-api, then start cyborg-api again.'
    )


def plugin_line() -> results.Result:
    """Check that a cyborg-conductor with this cyborg.conf has the plugin."""
    # It brings the options; nothing is connected.
    messaging.get_notification_transport(CONF)
    if _PLUGIN in CONF.oslo_messaging_notifications.driver:
        return results.success('This cyborg.conf loads the plugin.')
    return results.warning(
        'This cyborg.conf does not load the plugin. A cyborg-conductor '
        'without it deletes a device that its host does not report once, and '
        'gives it away again though a server has it. Set '
        f'[oslo_messaging_notifications] driver = {_PLUGIN} in cyborg.conf of '
        'every cyborg-conductor, and restart it.'
    )


def application_factory() -> results.Result:
    """Check that a cyborg-api with this cyborg.conf serves our API."""
    name = CONF.api.api_paste_config
    path = name if os.path.isabs(name) else CONF.find_file(name)
    parser = configparser.RawConfigParser(strict=False)
    if not path or not parser.read(path):
        return results.failure(
            f'There is no file {name}. Set [api] api_paste_config in '
            'cyborg.conf.'
        )
    found = parser.get(_SECTION, 'paste.app_factory', fallback=None)
    if found == _FACTORY:
        return results.success(f'{path} has the application factory.')
    return results.failure(
        f'paste.app_factory in [{_SECTION}] of {path} is {found}. Set it to '
        f'{_FACTORY}, and restart cyborg-api.'
    )


def service_token_roles() -> results.Result:
    """Check which roles make a service token."""
    roles = CONF.keystone_authtoken.service_token_roles
    if not roles:
        return results.failure(
            '[keystone_authtoken] service_token_roles is empty, so that '
            'Cyborg refuses what Nova asks. Take the option out of '
            'cyborg.conf (default: service), and restart cyborg-api.'
        )
    held = _ROLES_OF_MEMBERS.intersection(roles)
    if held:
        return results.failure(
            '[keystone_authtoken] service_token_roles has roles that people '
            f'have ({", ".join(sorted(held))}): they could act as Nova does. '
            'Name roles of service users only, and restart cyborg-api.'
        )
    return results.success(
        f'Service tokens have one of the roles {", ".join(roles)}.'
    )


def servers_of_all_projects() -> results.Result:
    """Check that cyborg-api can see whether a server is deleted."""
    try:
        compute = nova_client.NovaAPI().nova_client
        listed = compute.get('/servers/detail?all_tenants=true&limit=1')
    except (ks_exc.ClientException, sdk_exc.SDKException) as exc:
        return results.failure(
            f"Nova could not be asked: {exc}. Check cyborg.conf's [nova] "
            'section.'
        )
    if listed.status_code != 200:
        return results.failure(
            'Nova refused a list of the servers of all projects with HTTP '
            f'status {listed.status_code}. {_ADMIN_NEEDED}'
        )
    for server in listed.json()['servers']:
        # The two are different policies of Nova's.
        shown = compute.get(f'/servers/{server["id"]}')
        if shown.status_code not in (200, 404):
            return results.failure(
                f'Nova refused to show server {server["id"]} with HTTP '
                f'status {shown.status_code}. {_ADMIN_NEEDED}'
            )
        if shown.status_code == 404 and _is_listed(compute, server['id']):
            return results.failure(
                f'Nova lists server {server["id"]}, and does not show it. '
                f'{_ADMIN_NEEDED}'
            )
    return results.success('Nova shows the servers of all projects.')


def _is_listed(compute: proxy.Proxy, server_id: str) -> bool:
    path = f'/servers/detail?all_tenants=true&uuid={server_id}'
    return bool(compute.get(path).json().get('servers'))


CHECKS: results.Checks = {
    'Cyborg: release': release,
    'Cyborg: schema': schema,
    'Cyborg: plugin': plugin_line,
    'Cyborg: every cyborg-conductor': cyborg_services.conductors,
    'Cyborg: every cyborg-agent': cyborg_services.agents,
    'Cyborg: reconciling': reconciling.check,
    'Cyborg: application factory': application_factory,
    'Cyborg: policies': policies.check,
    'Cyborg: service token roles': service_token_roles,
    'Cyborg: servers of all projects': servers_of_all_projects,
}
