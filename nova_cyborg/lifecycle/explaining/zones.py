# SPDX-License-Identifier: Apache-2.0

"""Which availability zones hosts are in, as Nova said within a minute.

Any member may ask for what there is, as often as they like. However often
they do, and even if Nova hangs, one thread of a process asks it at a time,
for some seconds of each minute.
"""

import collections.abc

from dogpile.cache import region

from nova_cyborg.lifecycle import nova

# Of what Nova does not say, too: then, the zones are unknown for as long.
_SECONDS = 60
_KEY = 'zones'

# Who comes while another thread asks gets what was said before. Only where
# nothing was, it waits for the other.
_said = region.make_region().configure(
    'dogpile.cache.memory', expiration_time=_SECONDS
)


def of_hosts() -> collections.abc.Mapping[str, str] | None:
    """Find out which availability zones hosts are in.

    :returns: the zone of each host, by its name; None if Nova does not say.
    """
    found: dict[str, str] | None = _said.get_or_create(
        _KEY, nova.availability_zones
    )
    return found


def forget() -> None:
    """Have Nova be asked the next time."""
    _said.delete(_KEY)
