# SPDX-License-Identifier: Apache-2.0


"""Waiting for what happens in the background, never without an end."""

import collections.abc

from tools.cloud import waiting

#: Ample for anything that a cloud on a busy machine does; where its hosts are
#: emulated machines, more is set.
SECONDS = 120.0


def until(
    what: str,
    condition: collections.abc.Callable[[], bool],
    seconds: float | None = None,
) -> None:
    """Wait until a condition holds; the test fails if it does not."""
    waiting.until(what, condition, SECONDS if seconds is None else seconds)
