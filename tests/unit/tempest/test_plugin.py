# SPDX-License-Identifier: Apache-2.0

"""What tempest is told of the plugin."""

import importlib
import pathlib
import sys

import pytest

import nova_cyborg.tempest.config


def test_options_are_listed_where_tempest_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tempest', None)
    module = importlib.reload(nova_cyborg.tempest.config)

    names = [
        (group.name, option.name)
        for group, options in module.list_opts()
        for option in options
    ]

    assert ('service_available', 'nova_cyborg') in names
    assert ('device_context', 'resource_class') in names


@pytest.fixture
def plugin():
    pytest.importorskip('tempest')
    module = importlib.import_module('nova_cyborg.tempest.plugin')
    return module.NovaCyborgPlugin()


def test_the_tests_are_found(plugin):
    tests, top = map(pathlib.Path, plugin.load_tests())

    assert (tests / 'api' / 'test_device_contexts.py').exists()
    assert tests.relative_to(top) == pathlib.Path(
        'nova_cyborg', 'tempest', 'tests'
    )


def test_the_clients_are_there(plugin):
    described = plugin.get_service_clients()
    module = importlib.import_module('nova_cyborg.tempest.services')

    assert {each['module_path'] for each in described} == {module.__name__}
    names = [name for each in described for name in each['client_names']]
    assert sorted(names) == sorted(module.__all__)
    for name in names:
        assert getattr(module, name).__name__ == name


def test_each_client_talks_to_its_service(plugin):
    services = {
        each['name']: each['service'] for each in plugin.get_service_clients()
    }

    assert services == {
        'device_context': 'accelerator',
        'server_device_context': 'compute',
    }


def test_tempest_has_the_options(plugin):
    from tempest import config

    assert config.CONF.service_available.nova_cyborg is True
    assert config.CONF.device_context.catalog_type == 'accelerator'


def test_the_sample_has_the_options(plugin):
    assert [name for name, _options in plugin.get_opt_lists()] == [
        'service_available',
        'device_context',
    ]
