# SPDX-License-Identifier: Apache-2.0

"""Configuration of Sphinx for the release notes."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / 'doc' / 'ext'))

project = 'nova_cyborg Release Notes'
project_copyright = 'OpenStack Foundation'
extensions = ['openstackdocstheme', 'release_notes']
master_doc = 'index'

html_theme = 'openstackdocs'
openstackdocs_auto_name = False
openstackdocs_auto_version = False
# The notes have no version of their own.
release = ''
version = ''
