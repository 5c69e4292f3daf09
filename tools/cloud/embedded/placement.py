# SPDX-License-Identifier: Apache-2.0

"""Placement."""

import os

from placement import wsgi as placement_wsgi

from tools.cloud.embedded import wsgi
from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Run Placement."""
    config = state.config('placement')
    os.environ['OS_PLACEMENT_CONFIG_DIR'] = str(config.parent)
    wsgi.serve(state, 'placement', placement_wsgi.init_application())
