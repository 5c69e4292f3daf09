# SPDX-License-Identifier: Apache-2.0

"""How a program ends that has a cloud to take down."""

import signal
import sys

# Long enough for the finalizer to be over.
_AGAIN_SECONDS = 0.05


def heed() -> None:
    """Let all who want to end this process have what Ctrl-C does.

    Python drops what is raised in a finalizer, and urllib3 has one for each
    session: now and then, Ctrl-C would be without effect. It is raised once
    more then.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup, for one, has it ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    sys.unraisablehook = _raise_again


def _raise_again(dropped: 'sys.UnraisableHookArgs') -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
    else:
        sys.__unraisablehook__(dropped)
