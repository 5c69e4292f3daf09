# SPDX-License-Identifier: Apache-2.0

"""What is checked with nova.conf, on a host of Nova's."""

from __future__ import annotations

import collections.abc
import http

import oslo_messaging as messaging
from keystoneauth1 import exceptions as ks_exc
from keystoneauth1 import loading as ks_loading
from keystoneauth1 import plugin as ks_plugin
from keystoneauth1 import service_token
from nova import conf, config, objects, utils
from oslo_utils import uuidutils

from nova_cyborg import cyborg_client, exception
from nova_cyborg.checks import releases, results
from nova_cyborg.checks.services import conductors, moves

CONF = conf.CONF

_PLUGIN = 'nova_cyborg'
_GROUP = 'service_user'
_SECONDS = 30


def prepare(files: collections.abc.Sequence[str]) -> None:
    """Read the configuration.

    :param files: configuration files; none for Nova's usual places.
    """
    # No oslo.log: what is said here is for the operator, not for the log.
    config.parse_args(
        ['nova', *(f'--config-file={name}' for name in files)], init_rpc=False
    )
    objects.register_all()


def release() -> results.Result:
    """Check the release of Nova."""
    return releases.check(releases.NOVA)


def plugin_line() -> results.Result:
    """Check that a service with this nova.conf loads the plugin."""
    # It brings the options; nothing is connected.
    messaging.get_notification_transport(CONF)
    if _PLUGIN in CONF.oslo_messaging_notifications.driver:
        return results.success('This nova.conf loads the plugin.')
    return results.warning(
        'This nova.conf does not load the plugin. If it is that of a '
        'nova-conductor or nova-compute, set [oslo_messaging_notifications] '
        f'driver = {_PLUGIN} in it, and restart the service.'
    )


def root_ports() -> results.Result:
    """Check that guests have slots for devices that are attached later."""
    if not (CONF.compute_driver or '').startswith('libvirt.'):
        return results.success(
            'This nova.conf is not that of a nova-compute with libvirt.'
        )
    ports = CONF.libvirt.num_pcie_ports
    if ports:
        return results.success(
            'Guests of the machine types q35 and virt are started with '
            f'{ports} root ports.'
        )
    return results.warning(
        'Guests of the machine types q35 and virt have one or two free slots '
        'for what is attached while they run: set [libvirt] num_pcie_ports '
        'in nova.conf of nova-compute, up to 28, restart it, and reboot '
        '(hard) the servers that are to get more.'
    )


def service_token_sent() -> results.Result:
    """Check that Nova sends its service token, and has one to send."""
    if not CONF.service_user.send_service_user_token:
        return results.failure(
            'Nova sends no service token, without which Cyborg refuses what '
            f'Nova asks. Set [{_GROUP}] send_service_user_token = true in '
            'nova.conf of nova-conductor and nova-compute, and restart them.'
        )
    try:
        auth = _service_auth()
        auth.get_headers(
            ks_loading.load_session_from_conf_options(CONF, _GROUP, auth=auth)
        )
    except ks_exc.ClientException as exc:
        return results.failure(
            f'Nova cannot get a service token: {exc}. Put the credentials of '
            f"Nova's service user into [{_GROUP}] of nova.conf."
        )
    return results.success('Nova sends its service token.')


def device_context_api() -> results.Result:
    """Check that Cyborg serves device contexts where Nova looks for it."""
    error = _asked()
    if isinstance(error, exception.CyborgWithoutDeviceContexts):
        return results.failure(
            'What answers at the endpoint of Cyborg does not serve device '
            'contexts. Set paste.app_factory = nova_cyborg.api.app:'
            'app_factory in [app:api_v2] of api-paste.ini of each '
            'cyborg-api, and restart it.'
        )
    if isinstance(error, exception.CyborgUnreachable):
        return results.failure(
            f'Cyborg did not answer: {error.kwargs["reason"]}. Check '
            'cyborg-api, its endpoint in the catalog (service type '
            'accelerator), and [cyborg] in nova.conf.'
        )
    if isinstance(error, exception.CyborgFailed):
        return results.failure(
            f'Cyborg failed with HTTP status {error.kwargs["http_status"]}: '
            f'{error.kwargs["reason"]} Look into the log of cyborg-api.'
        )
    return results.success('Cyborg serves device contexts.')


def allocations() -> results.Result:
    """Check that Cyborg lets Nova's service user work with allocations."""
    error = _asked()
    if error is None or isinstance(error, exception.AllocationNotFound):
        return results.success('Cyborg accepts the service token of Nova.')
    if isinstance(error, exception.ServiceTokenRequired):
        return results.failure(
            "Cyborg does not accept the token of Nova's service user as a "
            f'service token. Give the user of [{_GROUP}] in nova.conf a role '
            'of [keystone_authtoken] service_token_roles in cyborg.conf '
            '(default: service).'
        )
    if isinstance(error, exception.Forbidden):
        return results.failure(
            f"Cyborg's policies refuse Nova's service user: {error} Look "
            'for cyborg:device_allocation in the policy file of cyborg-api.'
        )
    return results.failure(
        'It could not be seen whether Cyborg accepts the service token of '
        'Nova. Put right what is wrong with Cyborg, and check again.'
    )


def accelerator_requests() -> results.Result:
    """Check that Cyborg lets Nova's service user read what servers have."""
    error = _ask(_both_tokens(), cyborg_client.AllocationClient.arqs)
    if error is None:
        return results.success(
            "Cyborg shows Nova's service user the accelerator requests of "
            'servers.'
        )
    if (
        isinstance(error, exception.CyborgFailed)
        and error.kwargs['http_status'] == http.HTTPStatus.FORBIDDEN
    ):
        return results.failure(
            "Cyborg's policies do not let Nova's service user read "
            'accelerator requests, which nova-compute does when it offloads '
            'servers by time, and when it starts the guests of a host that '
            f'was restarted. Give the user of [{_GROUP}] in nova.conf the '
            'role reader, or look for cyborg:arq:get_all in the policy file '
            'of cyborg-api.'
        )
    return results.failure(
        "It could not be seen whether Nova's service user may read "
        'accelerator requests. Put right what is wrong with Cyborg, and '
        'check again.'
    )


def _asked() -> exception.DeviceContextError | None:
    """Ask Cyborg for the allocation of a server that there is not."""
    error = _ask(_both_tokens(), cyborg_client.AllocationClient.get)
    if (
        isinstance(error, exception.CyborgFailed)
        and error.kwargs['http_status'] == http.HTTPStatus.UNAUTHORIZED
    ):
        # A service token whose roles do not do is refused before Cyborg's
        # API, as any bad token is. Without it, Cyborg says what it lacks.
        without = _ask(_service_auth(), cyborg_client.AllocationClient.get)
        if isinstance(without, exception.ServiceTokenRequired):
            return without
    return error


def _both_tokens() -> ks_plugin.BaseAuthPlugin:
    """Return Nova's own token, as its service token and as a member's."""
    auth = _service_auth()
    return service_token.ServiceTokenAuthWrapper(
        user_auth=auth, service_auth=auth
    )


def _ask(
    auth: ks_plugin.BaseAuthPlugin,
    call: collections.abc.Callable[
        [cyborg_client.AllocationClient, str], object
    ],
) -> exception.DeviceContextError | None:
    """Ask Cyborg something about a server that there is not."""
    adapter = utils.get_ksa_adapter('accelerator', ksa_auth=auth)
    if adapter.session.timeout is None:
        adapter.session.timeout = _SECONDS
    client = cyborg_client.AllocationClient(adapter)
    try:
        call(client, uuidutils.generate_uuid())
    except exception.DeviceContextError as exc:
        return exc
    return None


def _service_auth() -> ks_plugin.BaseAuthPlugin:
    auth = ks_loading.load_auth_from_conf_options(CONF, _GROUP)
    if auth is None:
        raise ks_exc.MissingAuthPlugin('auth_type is not set')
    return auth


CHECKS: results.Checks = {
    'Nova: release': release,
    'Nova: plugin in nova.conf': plugin_line,
    'Nova: every nova-conductor': conductors.check,
    'Nova: moves': moves.check,
    'Nova: root ports of guests': root_ports,
    'Nova: service token': service_token_sent,
    "Nova: Cyborg's device contexts": device_context_api,
    "Nova: Cyborg's allocations": allocations,
    "Nova: Cyborg's accelerator requests": accelerator_requests,
}
