# SPDX-License-Identifier: Apache-2.0

"""Times in queries."""

import collections.abc
import datetime
import re

from nova_cyborg import names

# The format's name stands in refusals; a year has four digits, so that all
# databases have it.
TIME = 'time such as 2026-11-22T11:06:05Z, with or without an offset'

_TIME = re.compile(
    r'([1-9]\d{3}-\d\d-\d\d)'
    r'(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?)?',
    re.ASCII,
)


def is_time(text: str) -> bool:
    """Tell whether a text is a time.

    :param text: the text.
    :returns: whether it is.
    """
    return _parse(text) is not None


def read(
    query: collections.abc.Mapping[str, str], name: str
) -> datetime.datetime | None:
    """Read a time of a query, which the schema has let pass.

    :param query: the parameters of the request.
    :param name: the parameter's.
    :returns: the time, in UTC; None if the query has none.
    :raises InvalidRequest: if it is none.
    """
    if name not in query:
        return None
    found = _parse(query[name])
    if found is None:
        raise names.invalid(name, f'must be a {TIME}.')
    return found


def _parse(text: str) -> datetime.datetime | None:
    match = _TIME.fullmatch(text)
    if not match:
        return None
    day, minute, second, fraction, offset = match.groups()
    text = (
        f'{day}T{minute or "00:00"}:{second or "00"}'
        # Python 3.10 has three digits or six.
        f'.{(fraction or "").ljust(6, "0")}'
        f'{"+00:00" if offset in (None, "Z") else offset}'
    )
    try:
        found = datetime.datetime.fromisoformat(text)
        return found.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
