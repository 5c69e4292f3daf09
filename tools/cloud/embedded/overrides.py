# SPDX-License-Identifier: Apache-2.0

"""Options that hold for a while: for one of a process's several hosts."""

import collections.abc
import contextlib
from typing import Any

# Name, value and group of each option.
Options = collections.abc.Sequence[tuple[str, Any, str | None]]


@contextlib.contextmanager
def of(conf: Any, options: Options) -> collections.abc.Iterator[None]:
    """Override options of a process while a block runs.

    :param conf: the process's configuration.
    :param options: the options.
    """
    for name, value, group in options:
        conf.set_override(name, value, group=group)
    try:
        yield
    finally:
        for name, _value, group in options:
            conf.clear_override(name, group=group)
