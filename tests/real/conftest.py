# SPDX-License-Identifier: Apache-2.0

"""The cloud and the people of the end-to-end tests, and their cleaning up."""

from tests.e2e.conftest import (
    admin,
    afterwards,
    cloud,
    demo,
    nothing_left,
    other,
    people,
    pytest_runtest_makereport,
)

__all__ = (
    'admin',
    'afterwards',
    'cloud',
    'demo',
    'nothing_left',
    'other',
    'people',
    'pytest_runtest_makereport',
)
