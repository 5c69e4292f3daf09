# SPDX-License-Identifier: Apache-2.0

"""nova-cyborg-status finds services of Cyborg that run without the plugin."""

from tests.functional.api import cyborg  # isort: skip - first

from unittest import mock

import pytest
from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.agent import manager as stock_agent
from cyborg.common import constants, placement_client
from cyborg.conductor import manager as stock_conductor
from oslo_upgradecheck import upgradecheck

from nova_cyborg import model
from nova_cyborg.checks.services import cyborg_services
from nova_cyborg.cyborg.agent import manager as our_agent
from nova_cyborg.nova.features import asking

SUCCESS, WARNING, FAILURE = sorted(upgradecheck.Code)


class OtherRelease(our_agent.AgentManager):
    """An agent with a newer release of the plugin."""

    def describe_plugin(self, context):
        return {**super().describe_plugin(context), 'release': '999.0'}


@pytest.fixture(autouse=True)
def _services(cloud, monkeypatch):
    """Let services be made that have no Placement to ask."""
    cloud.config.config(
        group='database',
        connection=cloud.engine.url.render_as_string(hide_password=False),
    )
    cloud.config.config(group='agent', enabled_drivers=[])
    monkeypatch.setattr(
        placement_client,
        'PlacementClient',
        mock.create_autospec(placement_client.PlacementClient),
    )
    monkeypatch.setattr(
        stock_agent.AgentManager,
        '_get_resource_provider_name',
        lambda self: self.host,
        raising=False,
    )
    monkeypatch.setattr(asking, 'SECONDS', 1)


@pytest.fixture
def other_bus(monkeypatch):
    """Have the message bus of the test count as one that is not in memory."""
    monkeypatch.setattr(asking.Asking, 'is_of_another_process', False)


@pytest.fixture
def start(cloud):
    """Start an agent on a host with a device."""

    def _start(host, kind=our_agent.AgentManager, cleaned=False):
        provider = cloud.add_device(host=host)
        if kind is not None:
            topic = constants.AGENT_TOPIC
            cloud.serve_rpc(topic, host, kind(topic, host))
        if cleaned:
            context = cyborg_context.get_admin_context()
            deployable = objects.Deployable.get_by_name(context, provider)
            objects.Attribute(
                context,
                deployable_id=deployable.id,
                key=model.CLEANING_ATTRIBUTE,
                value='60',
            ).create(context)

    return _start


@pytest.fixture
def stock():
    """A cyborg-conductor without the plugin."""
    return stock_conductor.ConductorManager(constants.CONDUCTOR_TOPIC, 'other')


class TestConductors:
    def test_with_the_plugin(self):
        result = cyborg_services.conductors()

        assert result.code is SUCCESS, result.details
        assert 'have the plugin: cyborg.' in result.details

    def test_one_is_without(self, cloud, stock):
        cloud.serve_rpc(constants.CONDUCTOR_TOPIC, 'other', stock)

        # On a real bus they take turns; here, whoever looks first is asked.
        result = cyborg.wait_for(
            lambda: (
                (found := cyborg_services.conductors()).code is FAILURE
                and found
            )
        )

        assert 'Some of the cyborg-conductors run without' in result.details
        assert 'cyborg has it' in result.details

    def test_all_are_without(self, cloud, stock, monkeypatch):
        monkeypatch.setattr(constants, 'CONDUCTOR_TOPIC', 'another')
        cloud.serve_rpc('another', 'other', stock)

        result = cyborg_services.conductors()

        assert result.code is WARNING
        assert 'driver = nova_cyborg' in result.details

    def test_there_is_none(self, monkeypatch, other_bus):
        monkeypatch.setattr(constants, 'CONDUCTOR_TOPIC', 'another')

        result = cyborg_services.conductors()

        assert result.code is FAILURE
        assert 'within 1 s: MessagingTimeout' in result.details

    def test_the_bus_is_another_processs(self, monkeypatch):
        monkeypatch.setattr(constants, 'CONDUCTOR_TOPIC', 'another')

        result = cyborg_services.conductors()

        assert result.code is WARNING
        assert 'cannot be asked' in result.details


class TestAgents:
    def test_there_is_none(self):
        result = cyborg_services.agents()

        assert result.code is SUCCESS
        assert 'Of 0 cyborg-agents' in result.details

    def test_with_the_plugin(self, start):
        start('compute1', cleaned=True)

        result = cyborg_services.agents()

        assert result.code is SUCCESS, result.details
        assert 'Of 1 cyborg-agents, 1 have' in result.details

    def test_one_without_that_has_nothing_to_clean(self, start):
        start('compute1')
        start('compute2', stock_agent.AgentManager)

        result = cyborg_services.agents()

        assert result.code is SUCCESS, result.details
        assert 'Of 2 cyborg-agents, 1 have' in result.details

    def test_one_without_that_is_to_clean(self, start):
        start('compute1', cleaned=True)
        start('compute2', stock_agent.AgentManager, cleaned=True)

        result = cyborg_services.agents()

        assert result.code is WARNING
        assert 'to be cleaned: compute2. ' in result.details
        assert 'driver = nova_cyborg' in result.details

    def test_one_that_does_not_answer(self, start, other_bus):
        start('compute1')
        start('compute2', kind=None)

        result = cyborg_services.agents()

        assert result.code is WARNING
        assert 'within 1 s: compute2. Start them' in result.details

    def test_the_bus_is_another_processs(self, start):
        start('compute1', kind=None)

        result = cyborg_services.agents()

        assert result.code is WARNING
        assert 'cannot be asked: compute1. ' in result.details

    def test_different_releases(self, start):
        start('compute1')
        start('compute2', OtherRelease)

        result = cyborg_services.agents()

        assert result.code is WARNING
        assert '999.0: compute2' in result.details
