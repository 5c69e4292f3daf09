# SPDX-License-Identifier: Apache-2.0

"""Nova's process, in the order that Nova asks for."""

from nova import monkey_patch

from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Run Nova."""
    # This must come before any other import of Nova. The environment says
    # that there is nothing to patch; it selects oslo.service's threads too.
    monkey_patch.patch(backend='threading')
    from tools.cloud.embedded.nova import all_in_one
    from tools.cloud.fakes import hypervisors

    all_in_one.run(state, hypervisors)
