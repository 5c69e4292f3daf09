# SPDX-License-Identifier: Apache-2.0

"""Nova's process, with hypervisors that are real, in machines of their own."""

from nova import monkey_patch

from tools.cloud import state as cloud_state


def serve(state: cloud_state.State) -> None:
    """Run Nova.

    :param state: the cloud.
    """
    # This must come before any other import of Nova.
    monkey_patch.patch(backend='threading')
    from tools.cloud.services import compute, real_hypervisors

    compute.serve(state, real_hypervisors)
