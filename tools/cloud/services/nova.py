# SPDX-License-Identifier: Apache-2.0

"""Nova's process, in the order that Nova asks for."""

from nova import monkey_patch

from tools.cloud import state as cloud_state


def serve(state: cloud_state.State) -> None:
    """Run Nova.

    :param state: the cloud.
    """
    # This must come before any other import of Nova. The environment says
    # that there is nothing to patch; it selects oslo.service's threads too.
    monkey_patch.patch(backend='threading')
    from tools.cloud.services import compute, hypervisors

    compute.serve(state, hypervisors)
