# SPDX-License-Identifier: Apache-2.0

"""Cyborg's API application, with device contexts.

Named in Cyborg's api-paste.ini::

    [app:api_v2]
    paste.app_factory = nova_cyborg.api.app:app_factory
"""

import logging

import pecan
from cyborg.api import app, hooks
from cyborg.common import authorize_wsgi
from cyborg.conf import CONF

from nova_cyborg import conf as our_conf
from nova_cyborg import exception
from nova_cyborg.api import faults, policies
from nova_cyborg.api.controllers import root
from nova_cyborg.api.controllers.lists import tags
from nova_cyborg.db import session
from nova_cyborg.db.migrations import migration
from nova_cyborg.lifecycle import bounds
from nova_cyborg.lifecycle.cleaning import stock
from nova_cyborg.lifecycle.events import telling

LOG = logging.getLogger(__name__)


def app_factory(
    global_config: dict[str, str], **local_config: str
) -> pecan.Pecan:
    """Make the application; PasteDeploy calls it.

    :param global_config: PasteDeploy's defaults; not used.
    :param local_config: the section's settings; not used.
    :returns: the WSGI application.
    :raises PluginActivationFailed: if the database has not our schema, or
        an option has a value that it cannot have.
    """
    our_conf.register_api_opts(CONF)
    _check_options()
    migration.check(session.engine(), 'cyborg-api')
    stock.install()
    telling.start('cyborg-api')
    policies.register(authorize_wsgi.get_enforcer())
    settings = app.get_pecan_config().app.to_dict()
    settings.pop('root')
    application = pecan.make_app(
        root.RootController(),
        hooks=[
            hooks.ConfigHook(),
            hooks.ConductorAPIHook(),
            hooks.ContextHook(settings['acl_public_routes']),
            hooks.PublicUrlHook(),
            tags.WholeTags(),
        ],
        wrap_app=faults.FaultMiddleware,
        **settings,
    )
    LOG.info('nova_cyborg serves device contexts in cyborg-api')
    return application


def _check_options() -> None:
    try:
        bounds.listed(CONF.nova_cyborg.allowed_resource_classes)
    except exception.InvalidRequest as exc:
        error = exception.PluginActivationFailed(reason=str(exc))
        LOG.critical('%s', error)
        raise error from exc
