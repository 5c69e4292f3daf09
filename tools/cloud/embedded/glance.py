# SPDX-License-Identifier: Apache-2.0

"""Glance, with images in files."""

import os

from glance.cmd import manage
from glance.common import config as glance_config
from glance.common import wsgi_app

from tools.cloud.embedded import wsgi
from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Run Glance."""
    config = state.config('glance')
    os.environ['OS_GLANCE_CONFIG_DIR'] = str(config.parent)
    _sync_database(str(config))
    wsgi.serve(state, 'glance', wsgi_app.init_app())


def _sync_database(config: str) -> None:
    glance_config.CONF(
        [], project='glance', default_config_files=[config], prog='glance'
    )
    try:
        manage.DbCommands().sync()
    except SystemExit as done:
        # The command ends the process when there is nothing to do.
        if done.code:
            raise
