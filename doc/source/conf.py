# SPDX-License-Identifier: Apache-2.0

"""Configuration of Sphinx; nothing is fetched while it builds."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'ext'))
# What reads the results of a benchmark is beside what writes them.
sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

project = 'nova_cyborg'
project_copyright = 'OpenStack Foundation'
extensions = [
    'api_reference',
    'benchmark',
    'cliff.sphinxext',
    'diagrams',
    'error_table',
    'openstackdocstheme',
    'oslo_config.sphinxext',
    'oslo_policy.sphinxext',
    'release_notes',
    'sphinx.ext.autodoc',
]
master_doc = 'index'

html_theme = 'openstackdocs'
openstackdocs_auto_name = False
pygments_style = 'native'

autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
# It cannot be in one process with Cyborg, which the other pages need.
autodoc_mock_imports = ['nova']

policy_generator_config_file = '../policy-generator.conf'
