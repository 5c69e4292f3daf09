# SPDX-License-Identifier: Apache-2.0

"""Doing the same to several: one that fails does not keep the others."""

import collections.abc

from nova_cyborg.cli import errors


def each(
    do: collections.abc.Callable[[str], None],
    given: collections.abc.Sequence[str],
    what: tuple[str, str],
    say: collections.abc.Callable[[str], None],
) -> None:
    """Do something to each of what is given.

    :param do: does it to one; raises ``CommandError`` if it fails.
    :param given: names or ids, as the user typed them.
    :param what: what is done, and to what, as in ``delete`` and ``device
        context``.
    :param say: says to the user which have failed, and why.
    :raises CommandError: if one has failed; it is done to the others.
    """
    if len(given) == 1:
        do(given[0])
        return
    verb, kind = what
    failed = 0
    for one in given:
        try:
            do(one)
        except errors.CommandError as error:
            failed += 1
            say(f'Failed to {verb} {kind} {errors.printable(one)}: {error}')
    if failed:
        raise errors.CommandError(
            f'{failed} of {len(given)} {kind}s failed to {verb}.'
        )
