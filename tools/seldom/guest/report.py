# SPDX-License-Identifier: Apache-2.0

"""What there is to see of a guest, for who must find out what is wrong."""

import collections.abc

from tools.seldom.guest import domain, exception

_LINES = 40


def of(guest: domain.Domain) -> str:
    """Tell a guest's state, and the ends of its console and its host's log.

    :param guest: the guest.
    :returns: some lines, with what cannot be told among them.
    """
    return '\n'.join(
        (
            f'state: {guest.state()}',
            f'seconds on a processor: {guest.processor_seconds()}',
            *_end('the console', guest.console),
            *_end("its host's log", guest.host),
        )
    )


def _end(what: str, read: collections.abc.Callable[[], str]) -> list[str]:
    try:
        lines = read().splitlines()
    except exception.UnreadableLog as error:
        return [f'--- {what} cannot be read: {error}']
    if not lines:
        return [f'--- {what} is empty']
    return [f'--- the end of {what}', *lines[-_LINES:]]
