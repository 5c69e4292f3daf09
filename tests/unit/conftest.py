# SPDX-License-Identifier: Apache-2.0

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
