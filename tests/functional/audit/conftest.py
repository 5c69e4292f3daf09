# SPDX-License-Identifier: Apache-2.0

"""A cloud that is audited: real Cyborg code and a database.

Placement's API is a stand-in that follows what Cyborg has, unless a test
says otherwise; Nova's is the fixture's.
"""

from tests.functional.api import conftest as api  # isort: skip - first

import argparse
import json

import pytest
from cyborg.common import placement_client

from nova_cyborg.cmd import audit
from tests.functional.audit.placement import Placement

# Its fixtures are those of the API's tests.
boot, cloud, member, nova = api.boot, api.cloud, api.member, api.nova


@pytest.fixture
def placement(monkeypatch):
    stand_in = Placement()
    monkeypatch.setattr(placement_client, 'PlacementClient', lambda: stand_in)
    return stand_in


@pytest.fixture
def run(cloud, placement, capsys):
    """Run the audit; returns the exit status and the kinds it found."""

    def _run(repair=False):
        arguments = argparse.Namespace(repair=repair, format='json', grace=0)
        status = audit.run(arguments)
        output = capsys.readouterr().out
        rows = json.loads(output) if output else []
        return status, [row['kind'] for row in rows]

    return _run


@pytest.fixture
def running(cloud, placement, boot):
    """A server that has all it should have."""
    provider = cloud.add_device()
    server_id, context_id = boot(provider, resources={'FPGA': 1})
    cloud.nova.change(server_id, 'ACTIVE')
    placement.allocate(provider, server_id)
    return provider, server_id, context_id
