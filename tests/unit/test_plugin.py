# SPDX-License-Identifier: Apache-2.0

"""The way into Nova's processes."""

import inspect
import logging
import sys

import pytest
from oslo_config import cfg

from nova_cyborg import conf as our_conf
from nova_cyborg import plugin


@pytest.fixture
def conf(monkeypatch):
    """A service's configuration; the plugin is not active in it yet."""
    monkeypatch.setattr(plugin, '_active', False)
    monkeypatch.setattr(plugin, '_INSTALLERS', {})
    return cfg.ConfigOpts()


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    written = []

    def _write(name, source=''):
        (tmp_path / f'{name}.py').write_text(inspect.cleandoc(source))
        written.append(name)
        return name

    yield _write
    for name in written:
        sys.modules.pop(name, None)


def critical(caplog):
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.CRITICAL
    ]


class TestActivate:
    def test_the_options_are_registered(self, conf):
        plugin.activate(conf)

        conf([], default_config_files=[])
        assert conf.nova_cyborg.conductor_hooks == ['device_context']
        assert conf.nova_cyborg.max_groups_per_server == 8

    def test_twice_is_once(self, conf, write_module, monkeypatch):
        target = write_module('target_of_a_test')
        installer = write_module(
            'installer_of_a_test',
            """
            calls = []

            def install():
                calls.append('installed')
                return 'something'
            """,
        )
        monkeypatch.setattr(plugin, '_INSTALLERS', {target: installer})

        plugin.Activation(conf, [], None)
        plugin.activate(conf)
        assert installer not in sys.modules
        __import__(target)
        plugin.activate(conf)

        assert sys.modules[installer].calls == ['installed']

    def test_it_tells_the_process_and_what_it_does(
        self, conf, write_module, monkeypatch, caplog
    ):
        target = write_module('target_of_a_test')
        installer = write_module(
            'installer_of_a_test',
            """
            def install():
                return 'conductor hooks a, b'
            """,
        )
        monkeypatch.setattr(plugin, '_INSTALLERS', {target: installer})
        monkeypatch.setattr(sys, 'argv', ['/usr/bin/nova-conductor'])

        with caplog.at_level(logging.INFO):
            plugin.activate(conf)
            __import__(target)

        assert 'active in nova-conductor: conductor hooks a, b' in caplog.text

    @pytest.mark.parametrize(
        'source',
        [
            'import nonesuch_module',
            '',
            """
            def install():
                raise ValueError('nonesuch')
            """,
        ],
    )
    def test_an_installer_that_fails_stops_the_process(
        self, conf, write_module, monkeypatch, caplog, source
    ):
        target = write_module('target_of_a_test')
        installer = write_module('installer_of_a_test', source)
        monkeypatch.setattr(plugin, '_INSTALLERS', {target: installer})
        plugin.activate(conf)

        with pytest.raises(SystemExit) as info:
            __import__(target)

        assert info.value.code not in (None, 0)
        (line,) = critical(caplog)
        assert 'nova_cyborg cannot work in this service' in line

    def test_what_fails_at_first_may_be_tried_again(self, conf, monkeypatch):
        def refuse(conf):
            raise ValueError('the options are taken')

        with monkeypatch.context() as patch:
            patch.setattr(our_conf, 'register_nova_opts', refuse)
            with pytest.raises(SystemExit, match='the options are taken'):
                plugin.activate(conf)

        plugin.activate(conf)
        conf([], default_config_files=[])
        assert conf.nova_cyborg.conductor_hooks

    def test_a_dependency_that_is_missing_stops_the_service(
        self, conf, monkeypatch, caplog
    ):
        monkeypatch.setitem(sys.modules, 'wrapt', None)

        with pytest.raises(SystemExit):
            plugin.activate(conf)

        assert 'wrapt' in critical(caplog)[0]


class TestOrStop:
    def test_work_that_is_done(self):
        done = []

        plugin.or_stop(lambda: done.append(1))

        assert done == [1]

    @pytest.mark.parametrize('failure', [ValueError, ImportError, KeyError])
    def test_work_that_fails_stops_the_service(self, caplog, failure):
        def work():
            raise failure('the reason')

        with pytest.raises(SystemExit) as info:
            plugin.or_stop(work)

        assert isinstance(info.value.__cause__, failure)
        assert info.value.code not in (None, 0)
        assert 'the reason' in critical(caplog)[0]


def test_a_notification_goes_nowhere(conf):
    driver = plugin.Activation(conf, ['notifications'], None)

    assert driver.notify({}, {'payload': {}}, 'INFO', -1) is None
