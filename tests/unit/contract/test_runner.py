# SPDX-License-Identifier: Apache-2.0

"""Loading conductor hooks by entry point, and the order of their calls."""

import inspect
import itertools
import logging
import sys
from unittest import mock

import pytest
import stevedore
from stevedore import _cache as stevedore_cache

from nova_cyborg import exception
from nova_cyborg.contract import noop, runner, spec
from nova_cyborg.nova.conductor import device_context

SERVERS = ['server1', 'server2']
BOOT = spec.Operation('req-1', booting=True)
MOVE = spec.Operation('req-2', booting=False)


@pytest.fixture
def context():
    return mock.sentinel.context


@pytest.fixture
def request_spec():
    return mock.sentinel.request_spec


@pytest.fixture
def instance():
    return mock.Mock(spec_set=['uuid'], uuid='server1')


class Recorder(spec.ConductorHook):
    """Writes down its calls; raises what it is told to."""

    def __init__(
        self,
        name,
        calls,
        concerned=True,
        fails=(),
        raises=None,
        says='',
        more=0,
    ):
        self._more = more
        self._says = says
        self._raises = raises
        self._name = name
        self._calls = calls
        self._concerned = concerned
        self._fails = fails

    def _record(self, method, *about):
        self._calls.append((self._name, method, *about))
        if self._raises:
            raise self._raises
        if method in self._fails:
            raise ValueError(f'{self._name} cannot')

    def concerns(self, request_spec):
        return self._concerned

    def before_scheduling(self, context, request_spec, server_ids, operation):
        self._record('before_scheduling', *server_ids)

    def pre_bind(self, context, instance, node, request_spec, operation):
        self._record('pre_bind', node)
        return [f'{self._name}-arq1', f'{self._name}-arq2']

    def otherwise(self, context, request_spec, server_ids, operation):
        self._record('otherwise', *server_ids)
        return self._more > 0

    def why_no_host(self, context, request_spec, server_id, operation):
        self._record('why_no_host', server_id)
        return self._says

    def unbind(self, context, server_id, operation):
        self._record('unbind', server_id)

    def release(self, context, server_id):
        self._record('release', server_id)


@pytest.fixture
def calls():
    return []


@pytest.fixture
def make(calls):
    """Returns a runner of hooks a, b and c, each with its own manner."""

    def _make(**manners):
        return runner.HookRunner(
            [
                Recorder(name, calls, **manners.get(name, {}))
                for name in ('a', 'b', 'c')
            ]
        )

    return _make


@pytest.fixture
def entry_points(tmp_path, monkeypatch):
    """Installs a distribution with hooks of the given source code."""
    number = itertools.count()

    def _install(source, **hooks):
        package = f'hooks_of_a_test_{id(tmp_path)}_{next(number)}'
        (tmp_path / f'{package}.py').write_text(inspect.cleandoc(source))
        info = tmp_path / f'{package}-1.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(
            f'Metadata-Version: 2.1\nName: {package}\nVersion: 1\n'
        )
        lines = [f'{name} = {package}:{cls}' for name, cls in hooks.items()]
        (info / 'entry_points.txt').write_text(
            '\n'.join([f'[{runner.NAMESPACE}]', *lines])
        )

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(stevedore.ExtensionManager, 'ENTRY_POINT_CACHE', {})
    monkeypatch.setattr(stevedore_cache, '_c', stevedore_cache.Cache())
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    yield _install
    for name in list(sys.modules):
        if name.startswith(f'hooks_of_a_test_{id(tmp_path)}'):
            del sys.modules[name]


def activation_error(names):
    with pytest.raises(exception.PluginActivationFailed) as info:
        runner.load(names)
    return str(info.value)


class TestLoad:
    def test_our_own_hooks(self):
        for names in (['device_context'], ['noop'], ['noop', 'noop'], []):
            assert isinstance(runner.load(names), runner.HookRunner)

    def test_the_order_is_that_of_the_configuration(
        self, entry_points, context, instance, request_spec
    ):
        entry_points(
            """
            from nova_cyborg.contract import noop

            class Zeta(noop.NoopHook):
                def concerns(self, request_spec):
                    return True

                def pre_bind(
                    self, context, instance, node, request_spec, operation
                ):
                    return [type(self).__name__]

            class Alpha(Zeta):
                pass
            """,
            zeta='Zeta',
            alpha='Alpha',
        )

        for names in (['zeta', 'noop', 'alpha'], ['alpha', 'zeta']):
            arqs = runner.load(names).pre_bind(
                context, instance, 'compute1', request_spec, MOVE
            )
            assert arqs == [name.title() for name in names if name != 'noop']

    def test_an_unknown_hook_is_named(self):
        sentence = activation_error(['device_context', 'nonesuch'])

        assert 'no conductor hook nonesuch' in sentence
        assert 'conductor_hooks' in sentence

    def test_a_hook_that_cannot_be_imported_is_named(self, entry_points):
        entry_points('import nonesuch_module', broken='Hook')

        sentence = activation_error(['broken'])

        assert 'conductor hook broken cannot be loaded' in sentence
        assert 'nonesuch_module' in sentence

    def test_a_hook_that_cannot_be_made_is_named(self, entry_points):
        entry_points(
            """
            from nova_cyborg.contract import noop

            class Hook(noop.NoopHook):
                def __init__(self):
                    raise ValueError('no licence')
            """,
            broken='Hook',
        )

        assert 'hook broken cannot be loaded: no licence' in (
            activation_error(['broken'])
        )

    def test_a_hook_that_lacks_a_method_is_named(self, entry_points):
        entry_points(
            """
            from nova_cyborg.contract import spec

            class Hook(spec.ConductorHook):
                def concerns(self, request_spec):
                    return True
            """,
            partial='Hook',
        )

        sentence = activation_error(['partial'])

        assert 'hook partial cannot be loaded' in sentence
        assert 'before_scheduling' in sentence

    def test_what_is_no_hook_is_named(self, entry_points):
        entry_points('class Hook: pass', other='Hook')

        assert (
            'conductor hook other is no '
            'nova_cyborg.contract.spec.ConductorHook'
        ) in activation_error(['other'])

    def test_a_hook_with_another_signature_is_named(self, entry_points):
        entry_points(
            """
            from nova_cyborg.contract import noop

            class OldHook(noop.NoopHook):
                def pre_bind(self, context, instance, host):
                    return []
            """,
            old='OldHook',
        )

        sentence = activation_error(['noop', 'old'])

        assert 'OldHook.pre_bind takes (self, context, instance, host)' in (
            sentence
        )
        assert 'instance, node, request_spec, operation)' in sentence

    @pytest.mark.parametrize(
        'hook', [noop.NoopHook, device_context.DeviceContextHook]
    )
    def test_our_hooks_keep_to_the_contract(self, hook):
        runner._check('ours', hook())


class TestConcerns:
    def test_one_hook_is_enough(self, make, request_spec):
        others = {'concerned': False}

        assert make(a=others, c=others).concerns(request_spec)
        assert not make(a=others, b=others, c=others).concerns(request_spec)

    def test_without_hooks_nothing_is_done(self, context, request_spec):
        hooks = runner.load([])

        assert not hooks.concerns(request_spec)
        hooks.before_scheduling(context, request_spec, SERVERS, BOOT)
        assert (
            hooks.pre_bind(context, None, 'compute1', request_spec, MOVE) == []
        )
        hooks.release(context, request_spec, 'server1')


class TestBeforeScheduling:
    @pytest.mark.parametrize('operation', [BOOT, MOVE])
    def test_those_concerned_are_called_in_order(
        self, make, calls, context, request_spec, operation
    ):
        hooks = make(b={'concerned': False})

        hooks.before_scheduling(context, request_spec, SERVERS, operation)

        assert calls == [
            ('a', 'before_scheduling', *SERVERS),
            ('c', 'before_scheduling', *SERVERS),
        ]

    def test_the_earlier_ones_release_new_servers(
        self, make, calls, context, request_spec
    ):
        hooks = make(c={'fails': ['before_scheduling']})

        with pytest.raises(ValueError, match='c cannot'):
            hooks.before_scheduling(context, request_spec, SERVERS, BOOT)

        released = [call for call in calls if call[1] == 'release']
        assert sorted(released) == [
            ('a', 'release', 'server1'),
            ('a', 'release', 'server2'),
            ('b', 'release', 'server1'),
            ('b', 'release', 'server2'),
        ]

    def test_servers_that_exist_keep_what_they_have(
        self, make, calls, context, request_spec
    ):
        hooks = make(b={'fails': ['before_scheduling']})

        with pytest.raises(ValueError, match='b cannot'):
            hooks.before_scheduling(context, request_spec, SERVERS, MOVE)

        assert [call[:2] for call in calls] == [
            ('a', 'before_scheduling'),
            ('b', 'before_scheduling'),
        ]

    @pytest.mark.parametrize('cls', exception.SUPERSEDED)
    def test_nothing_is_released_that_another_call_has_taken_over(
        self, make, calls, context, request_spec, cls
    ):
        error = cls(server_id='server1', current=2, given=1)
        hooks = make(c={'raises': error})

        with pytest.raises(cls):
            hooks.before_scheduling(context, request_spec, SERVERS, BOOT)

        assert [call[1] for call in calls] == ['before_scheduling'] * 3

    def test_a_release_that_fails_hides_neither_others_nor_the_cause(
        self, make, calls, context, request_spec, caplog
    ):
        hooks = make(
            a={'fails': ['release']}, c={'fails': ['before_scheduling']}
        )

        with (
            caplog.at_level(logging.ERROR),
            pytest.raises(ValueError, match='c cannot'),
        ):
            hooks.before_scheduling(context, request_spec, ['server1'], BOOT)

        assert ('b', 'release', 'server1') in calls
        assert 'server1' in caplog.text
        assert 'a cannot' in caplog.text


class TestPreBind:
    def test_the_requests_of_all_hooks_are_returned(
        self, make, context, instance, request_spec
    ):
        hooks = make(b={'concerned': False})

        arqs = hooks.pre_bind(
            context, instance, 'compute1', request_spec, MOVE
        )

        assert arqs == ['a-arq1', 'a-arq2', 'c-arq1', 'c-arq2']

    def test_the_first_that_raises_is_the_last_that_is_called(
        self, make, calls, context, instance, request_spec
    ):
        hooks = make(b={'fails': ['pre_bind']})

        with pytest.raises(ValueError, match='b cannot'):
            hooks.pre_bind(context, instance, 'compute1', request_spec, MOVE)

        assert [call for call in calls if call[1] == 'pre_bind'] == [
            ('a', 'pre_bind', 'compute1'),
            ('b', 'pre_bind', 'compute1'),
        ]

    def test_the_earlier_ones_unbind_a_server_that_exists(
        self, make, calls, context, instance, request_spec
    ):
        hooks = make(c={'fails': ['pre_bind']})

        with pytest.raises(ValueError, match='c cannot'):
            hooks.pre_bind(context, instance, 'compute1', request_spec, MOVE)

        assert [call for call in calls if call[1] != 'pre_bind'] == [
            ('a', 'unbind', 'server1'),
            ('b', 'unbind', 'server1'),
        ]

    def test_an_unbind_that_fails_hides_neither_others_nor_the_cause(
        self, make, calls, context, instance, request_spec, caplog
    ):
        hooks = make(a={'fails': ['unbind']}, c={'fails': ['pre_bind']})

        with (
            caplog.at_level(logging.ERROR),
            pytest.raises(ValueError, match='c cannot'),
        ):
            hooks.pre_bind(context, instance, 'compute1', request_spec, MOVE)

        assert ('b', 'unbind', 'server1') in calls
        assert 'a cannot' in caplog.text

    def test_a_new_server_is_left_to_its_release(
        self, make, calls, context, instance, request_spec
    ):
        hooks = make(c={'fails': ['pre_bind']})

        with pytest.raises(ValueError, match='c cannot'):
            hooks.pre_bind(context, instance, 'compute1', request_spec, BOOT)

        assert {call[1] for call in calls} == {'pre_bind'}

    @pytest.mark.parametrize('cls', exception.SUPERSEDED)
    def test_nothing_is_unbound_that_another_call_has_taken_over(
        self, make, calls, context, instance, request_spec, cls
    ):
        error = cls(server_id='server1', current=2, given=1)
        hooks = make(c={'raises': error})

        with pytest.raises(cls):
            hooks.pre_bind(context, instance, 'compute1', request_spec, MOVE)

        assert {call[1] for call in calls} == {'pre_bind'}


class TestWhyNoHost:
    def test_hooks_that_do_not_say_so_are_all_right(
        self, make, context, request_spec
    ):
        hooks = make()

        assert hooks.why_no_host(context, request_spec, 'server1', BOOT) == ''

    def test_the_first_that_says_something_is_heard(
        self, make, context, request_spec, caplog
    ):
        hooks = make(
            a={'concerned': False, 'says': 'a'},
            b={'fails': ['why_no_host']},
            c={'says': 'Because.'},
        )

        said = hooks.why_no_host(context, request_spec, 'server1', BOOT)

        assert said == 'Because.'
        assert 'host for server server1 could not be said: b' in caplog.text


class TestOtherwise:
    def test_hooks_that_have_nothing_else_are_all_right(
        self, make, calls, context, request_spec
    ):
        hooks = make(b={'concerned': False})

        assert not hooks.otherwise(context, request_spec, SERVERS, BOOT)
        assert [each[:2] for each in calls] == [
            ('a', 'otherwise'),
            ('c', 'otherwise'),
        ]

    def test_the_first_that_has_something_else_is_enough(
        self, make, calls, context, request_spec
    ):
        hooks = make(b={'more': 1}, c={'more': 1})

        assert hooks.otherwise(context, request_spec, SERVERS, BOOT)
        assert calls == [
            ('a', 'otherwise', *SERVERS),
            ('b', 'otherwise', *SERVERS),
        ]

    def test_a_hook_need_not_have_anything(self, context, request_spec):
        hooks = runner.HookRunner([noop.NoopHook()])

        assert not hooks.otherwise(context, request_spec, SERVERS, BOOT)


class TestUnbind:
    def test_an_error_is_logged_and_hides_no_others(
        self, make, calls, context, request_spec, caplog
    ):
        hooks = make(a={'concerned': False}, b={'fails': ['unbind']})

        with caplog.at_level(logging.ERROR):
            hooks.unbind(context, request_spec, 'server1', MOVE)

        assert calls == [
            ('b', 'unbind', 'server1'),
            ('c', 'unbind', 'server1'),
        ]
        assert 'b cannot' in caplog.text


class TestRelease:
    def test_an_error_is_logged_and_hides_no_others(
        self, make, calls, context, request_spec, caplog
    ):
        hooks = make(a={'concerned': False}, b={'fails': ['release']})

        with caplog.at_level(logging.ERROR):
            hooks.release(context, request_spec, 'server1')

        assert calls == [
            ('b', 'release', 'server1'),
            ('c', 'release', 'server1'),
        ]
        assert 'b cannot' in caplog.text


class TestOperation:
    def test_what_is_noted_of_a_server_is_known_again(self):
        size = spec.Note[int]('test.size')
        name = spec.Note[str]('test.name')
        operation = spec.Operation('req-1', booting=True)

        operation.note(size, 'server1', 1)
        operation.note(size, 'server1', 2)

        assert operation.noted(size, 'server1') == 2
        assert operation.noted(size, 'server2') is None
        assert operation.noted(name, 'server1') is None

    def test_notes_are_of_one_operation(self):
        size = spec.Note[int]('test.size')

        BOOT.note(size, 'server1', 1)

        assert MOVE.noted(size, 'server1') is None


class TestNoopHook:
    def test_it_does_nothing(self, context, instance, request_spec):
        hook = noop.NoopHook()

        assert hook.concerns(request_spec) is False
        hook.before_scheduling(context, request_spec, SERVERS, BOOT)
        assert (
            hook.pre_bind(context, instance, 'compute1', request_spec, MOVE)
            == []
        )
        hook.unbind(context, 'server1', MOVE)
        hook.release(context, 'server1')
