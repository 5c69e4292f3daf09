# SPDX-License-Identifier: Apache-2.0

"""Nova's own process for the tests, with the plugin in it.

Import this before anything of Nova: Nova's functional tests choose between
green and native threads when they are imported, and the plugin has to be
active before Nova's managers are.
"""

import nova.tests.functional

import nova.conf  # isort: skip

from nova_cyborg import plugin

plugin.activate(nova.conf.CONF)
