# SPDX-License-Identifier: Apache-2.0

"""What services can do with servers that have device contexts.

Services are upgraded one after another, and one may have no plugin. What needs
several of them is done only if all that take part say that they can.
"""

#: To take a server with its devices to another host, and to leave its own.
MOVE = 'move'
#: To suspend a server, and to resume it.
SUSPEND = 'suspend'
#: To take a server that runs to another host.
LIVE_MIGRATE = 'live_migrate'
#: To attach a device context to a server that exists, and to detach it.
HOT_PLUG = 'hot_plug'
#: What this release can do.
ALL = (MOVE, SUSPEND, LIVE_MIGRATE, HOT_PLUG)
