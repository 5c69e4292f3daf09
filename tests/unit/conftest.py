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

"""Nova and Cyborg in one process, which they never are in a cloud."""

from unittest import mock

from oslo_config import cfg

# Both put their options, some of them of the same name, into oslo.config's
# global object when they are imported. Here Nova gets one of its own.
with mock.patch.object(cfg, 'CONF', cfg.ConfigOpts()):
    try:
        import nova.conf
    except ModuleNotFoundError:
        # Tests of what works without Nova are run without it, too.
        nova = None
