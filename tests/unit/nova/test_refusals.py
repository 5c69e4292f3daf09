# SPDX-License-Identifier: Apache-2.0

"""Whether a certain host is asked for."""

import pytest
from nova.objects import request_spec as objects

from nova_cyborg.nova.conductor import refusals


@pytest.mark.parametrize(
    ('fields', 'names_host'),
    [
        ({}, False),
        ({'force_hosts': None, 'force_nodes': []}, False),
        ({'force_hosts': ['compute1']}, True),
        ({'force_nodes': ['compute1']}, True),
        ({'requested_destination': None}, False),
        ({'requested_destination': objects.Destination()}, False),
        ({'requested_destination': objects.Destination(node='n')}, True),
        ({'requested_destination': objects.Destination(host='h')}, True),
    ],
)
def test_names_host(fields, names_host):
    request_spec = objects.RequestSpec(**fields)

    assert refusals.names_host(request_spec) is names_host
