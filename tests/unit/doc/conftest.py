# SPDX-License-Identifier: Apache-2.0

"""Sphinx finds its extensions by their own names; so do the tests."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[3] / 'doc' / 'ext'))
