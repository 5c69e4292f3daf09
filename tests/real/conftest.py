# SPDX-License-Identifier: Apache-2.0

"""The cloud and the people of the end-to-end tests, and their cleaning up."""

import pytest

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
from tests.real import guests

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


def pytest_exception_interact(
    node: pytest.Item, report: pytest.TestReport
) -> None:
    """Add to the report of a failed test what there is to see of guests."""
    if 'cloud' in getattr(node, 'funcargs', {}):
        seen = guests.tell(node.funcargs['cloud'])
        report.sections.append(('of the guests', seen))
