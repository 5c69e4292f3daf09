# SPDX-License-Identifier: Apache-2.0

"""How long Placement is waited for."""

from unittest import mock

import pytest
from cyborg.common import placement_client
from cyborg.conf import CONF

from nova_cyborg import exception
from nova_cyborg.lifecycle import placement


@pytest.fixture
def client(monkeypatch):
    client = mock.create_autospec(placement_client.PlacementClient)
    monkeypatch.setattr(placement_client, 'PlacementClient', client)
    client.return_value.get.return_value.status_code = 200
    client.return_value.get.return_value.json.return_value = {
        'resource_classes': [{'name': 'FPGA'}]
    }
    return client.return_value


def test_an_answer_is_not_waited_for_without_end(client):
    placement.Placement()

    assert 0 < CONF.placement.timeout <= 10


def test_it_is_asked_while_there_is_time(client):
    for seconds in (None, 60):
        found = placement.Placement(seconds).resource_classes()

        assert found == {'FPGA'}


def test_it_is_not_asked_when_time_is_over(client):
    late = placement.Placement(-1)

    with pytest.raises(exception.PlacementFailed, match='too slow'):
        late.resource_classes()

    client.get.assert_not_called()
