# SPDX-License-Identifier: Apache-2.0

"""The way into Nova's and Cyborg's processes.

oslo.messaging loads this by stevedore, as a notification driver that
nova.conf and cyborg.conf name, in each service while the ``rpc.init()`` of
Nova or Cyborg runs, and before any manager is made::

    [oslo_messaging_notifications]
    driver = nova_cyborg

It sends no notifications. A service in which it cannot do its work is
stopped: oslo.messaging would swallow the exception, and servers would be
built without the accelerators that were asked for.
"""

import collections.abc
import functools
import importlib
import logging
import os
import sys
import threading
import typing as ty

from oslo_messaging.notify import notifier

LOG = logging.getLogger(__name__)

# What is installed when a module of Nova or Cyborg is imported, if ever: a
# process imports nothing because of us that it does not use.
_INSTALLERS = {
    'nova.accelerator.cyborg': 'nova_cyborg.nova.accelerators',
    'nova.service': 'nova_cyborg.nova.service',
    'nova.api.openstack.compute.servers': 'nova_cyborg.nova.api.compute_api',
    'nova.api.openstack.compute.routes': (
        'nova_cyborg.nova.api.attachments.controller'
    ),
    'nova.api.metadata.base': 'nova_cyborg.nova.api.metadata',
    'nova.conductor.manager': 'nova_cyborg.nova.conductor.manager',
    'nova.compute.resource_tracker': (
        'nova_cyborg.nova.compute.resource_tracker'
    ),
    'nova.virt.libvirt': 'nova_cyborg.nova.compute.libvirt.driver',
    'cyborg.conductor.manager': 'nova_cyborg.cyborg.conductor.manager',
    'cyborg.agent.manager': 'nova_cyborg.cyborg.agent.manager',
}
# The project of the configuration of Cyborg's services.
_CYBORG = 'cyborg'
_CANNOT_WORK = 'nova_cyborg cannot work in this service'

_lock = threading.Lock()
_active = False


class Activation(notifier.Driver):
    """A notification driver that sends nothing, and activates the plugin.

    :param conf: the service's configuration.
    :param topics: oslo.messaging's; not used.
    :param transport: oslo.messaging's; not used.
    """

    def __init__(
        self, conf: ty.Any, topics: ty.Any, transport: ty.Any
    ) -> None:
        super().__init__(conf, topics, transport)
        activate(conf)

    def notify(
        self, ctxt: ty.Any, msg: ty.Any, priority: ty.Any, retry: ty.Any
    ) -> None:
        """Take a notification, and do nothing with it."""


def activate(conf: ty.Any) -> None:
    """Activate the plugin in this process; once is enough, more no harm.

    :param conf: the service's configuration.
    :raises SystemExit: if it cannot do its work, after logging CRITICAL.
    """
    global _active
    with _lock:
        if _active:
            return
        or_stop(functools.partial(_prepare, conf))
        _active = True


def _prepare(conf: ty.Any) -> None:
    # Imported here, so that one that is missing is a CRITICAL, too: an
    # import error of this module would only be a line of stevedore's.
    import wrapt

    from nova_cyborg import conf as our_conf

    if getattr(conf, 'project', None) != _CYBORG:
        our_conf.register_nova_opts(conf)
    for module, installer in _INSTALLERS.items():
        wrapt.register_post_import_hook(
            functools.partial(_installed, installer), module
        )


def _installed(installer: str, _module: object) -> None:
    def install() -> None:
        done = importlib.import_module(installer).install()
        if done:
            LOG.info('nova_cyborg is active in %s: %s', process_name(), done)

    or_stop(install)


def process_name() -> str:
    """Return the name of this process, for the log."""
    return os.path.basename(sys.argv[0]) or 'this service'


def or_stop(work: collections.abc.Callable[[], None]) -> None:
    """Do something that the service cannot run without.

    :param work: what is to be done.
    :raises SystemExit: if it raises anything, after logging CRITICAL.
    """
    try:
        work()
    except Exception as exc:
        # Whatever it is, the service must not run without the plugin. Nova
        # sets its logging up after it has loaded notification drivers.
        if not logging.getLogger().handlers:
            logging.basicConfig()
        sentence = str(exc)
        # Our own exception says it already.
        if not sentence.startswith(_CANNOT_WORK):
            sentence = f'{_CANNOT_WORK}: {sentence}'
        LOG.critical(sentence)
        LOG.debug('The cause', exc_info=True)
        raise SystemExit(sentence) from exc
