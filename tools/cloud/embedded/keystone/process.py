# SPDX-License-Identifier: Apache-2.0

"""Keystone, with the cloud's users and catalog."""

import multiprocessing

from keystone.server.flask import core

from tools.cloud import exception
from tools.cloud.embedded import wsgi
from tools.cloud.embedded.keystone import setup as keystone_setup
from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Run Keystone.

    :raises StepFailed: if its database cannot be made.
    """
    # In a process of its own, but with what is imported here already: what
    # bootstrap loads, the application insists on loading itself.
    preparation = multiprocessing.get_context('fork').Process(
        target=keystone_setup.run, args=(state,)
    )
    preparation.start()
    preparation.join()
    if preparation.exitcode:
        raise exception.StepFailed("Keystone's database cannot be made.")
    application = core.initialize_application(
        name='public', config_files=[str(state.config('keystone'))]
    )
    wsgi.serve(state, 'keystone', application)
