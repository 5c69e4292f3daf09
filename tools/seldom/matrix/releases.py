# SPDX-License-Identifier: Apache-2.0

"""The releases of OpenStack, and what belongs to each."""

import dataclasses
import datetime
import pathlib

from tools.cloud.machine import installation

_CONSTRAINTS = pathlib.Path(__file__).with_name('constraints')
# The services get fixes after their release; the libraries of a release are
# those of its day.
_DAYS_AFTER = datetime.timedelta(days=7)


@dataclasses.dataclass(frozen=True)
class Release:
    """A release of OpenStack.

    :ivar name: its name, such as 2025.1.
    :ivar day: the day on which it was published.
    :ivar services: a requirement for each service.
    :ivar constraints: the file of the versions that are installed.
    :ivar threads: the kinds of threads that all of its Nova, and what it
        brings to be tested with, can have, as the functional tests name them.
    """

    name: str
    day: datetime.date
    services: tuple[str, ...]
    constraints: pathlib.Path
    threads: str

    @property
    def libraries_until(self) -> datetime.date:
        """The day of the newest library."""
        return self.day + _DAYS_AFTER


def _release(name: str, day: str, threads: str, *services: str) -> Release:
    return Release(
        name,
        datetime.date.fromisoformat(day),
        services,
        _CONSTRAINTS / f'{name}.txt',
        threads,
    )


# The newest is what all other tests run on, so it has the file of the whole
# repository.
NEWEST = Release(
    '2026.2',
    datetime.date(2026, 9, 30),
    (
        'nova==34.*',
        'openstack-cyborg==17.*',
        'openstack-placement==16.*',
        'keystone==30.*',
        'glance==33.*',
        'neutron==29.*',
    ),
    installation.ROOT / 'constraints.txt',
    'both',
)
RELEASES = {
    each.name: each
    for each in (
        _release(
            '2025.1',
            '2025-04-02',
            'eventlet',
            'nova==31.*,>=31.3',
            'openstack-cyborg==14.*,>=14.1',
            'openstack-placement==13.*',
            'keystone==27.*',
            'glance==30.*',
            'neutron==26.*',
        ),
        _release(
            '2025.2',
            '2025-10-01',
            'eventlet',
            'nova==32.*,>=32.2',
            'openstack-cyborg==15.*,>=15.0.1',
            'openstack-placement==14.*',
            'keystone==28.*',
            'glance==31.*',
            'neutron==27.*',
        ),
        _release(
            '2026.1',
            '2026-04-01',
            # Its test fixtures do not bear native threads.
            'eventlet',
            'nova==33.*',
            'openstack-cyborg==16.*,>=16.0.1',
            'openstack-placement==15.*',
            'keystone==29.*',
            'glance==32.*',
            'neutron==28.*',
        ),
        NEWEST,
    )
}
