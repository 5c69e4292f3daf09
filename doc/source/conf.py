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

"""Configuration of Sphinx; nothing is fetched while it builds."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'ext'))

project = 'nova_cyborg'
project_copyright = 'OpenStack Foundation'
extensions = [
    'cliff.sphinxext',
    'error_table',
    'openstackdocstheme',
    'oslo_config.sphinxext',
    'oslo_policy.sphinxext',
    'sphinx.ext.autodoc',
]
master_doc = 'index'

html_theme = 'openstackdocs'
openstackdocs_auto_name = False
pygments_style = 'native'

autodoc_member_order = 'bysource'
autodoc_typehints = 'description'

policy_generator_config_file = '../policy-generator.conf'
