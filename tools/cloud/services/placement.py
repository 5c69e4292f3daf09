# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Placement."""

import os

from placement import wsgi as placement_wsgi

from tools.cloud import state as cloud_state
from tools.cloud.services import wsgi


def serve(state: cloud_state.State) -> None:
    """Run Placement.

    :param state: the cloud.
    """
    config = state.config('placement')
    os.environ['OS_PLACEMENT_CONFIG_DIR'] = str(config.parent)
    wsgi.serve(state, 'placement', placement_wsgi.init_application())
