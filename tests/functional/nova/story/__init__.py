# SPDX-License-Identifier: Apache-2.0

"""Many random steps of a whole cloud.

``hosts.py`` and ``agents.py`` are in Cyborg's process: the agents of hosts,
and a conductor that takes their reports; so is ``reconciling.py``, a
reconciler beside all that happens. ``records.py`` is what SQL says,
``checks.py`` what must be true after each step, ``cloud.py`` the cloud;
``of_hosts.py``, ``of_servers.py`` and ``of_moves.py`` are what happens.
"""
