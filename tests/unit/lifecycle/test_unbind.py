# SPDX-License-Identifier: Apache-2.0

"""For how long cyborg-agent is waited for, and the message bus."""

import oslo_messaging
import pytest
from cyborg.agent import rpcapi
from cyborg.common import rpc
from cyborg.conf import CONF

from nova_cyborg.lifecycle import unbind


@pytest.fixture
def agent(monkeypatch):
    """Asks an agent, where no RabbitMQ is."""
    transport = oslo_messaging.get_rpc_transport(CONF, 'rabbit://127.0.0.1:1/')
    client = oslo_messaging.get_rpc_client(
        transport, oslo_messaging.Target(topic='agent', version='1.0')
    )
    monkeypatch.setattr(rpc, 'get_client', lambda *_args, **_named: client)
    return rpcapi.AgentAPI()


@pytest.mark.timeout(60)
def test_the_message_bus_is_not_tried_for_ever(agent):
    # An answer is waited for in a queue that a process makes once.
    with (
        unbind.answering_soon(agent),
        pytest.raises(Exception, match=r'refused|Unable to connect'),
    ):
        agent.client.prepare(server='compute1').cast({}, 'remove_vgpu_mdev')


def test_what_asks_later_is_as_it_was(agent):
    client = agent.client

    with unbind.answering_soon(agent):
        assert agent.client is not client

    assert agent.client is client
