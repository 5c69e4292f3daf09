# SPDX-License-Identifier: Apache-2.0

"""Placement that does not answer, or refuses."""

import pytest
from cyborg.common import exception as cyborg_exc
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc


def test_placement_refuses(run, running, placement):
    placement.status_code = 401

    assert run() == (2, [])


@pytest.mark.parametrize(
    'failure',
    [
        cyborg_exc.PlacementServerError('It fails.'),
        ks_exc.ConnectFailure('No connection.'),
        ks_exc.MissingAuthPlugin('No credentials.'),
        sdk_exc.ConfigException('No endpoint.'),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_placement_does_not_answer(run, running, placement, failure):
    placement.failure = failure

    assert run() == (2, [])
