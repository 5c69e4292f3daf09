# SPDX-License-Identifier: Apache-2.0

"""Services are listened to where they have what is listened to."""

import types

import pytest

from tools.bench.tracing import messages, parts, recording, units


class Recorder:
    def __init__(self):
        self.lines = []

    def write(self, kind, **fields):
        self.lines.append({'kind': kind, **fields})


@pytest.fixture
def known():
    return units.Units(Recorder())


def module(name, source):
    found = types.ModuleType(name)
    exec(source, vars(found))  # noqa: S102 - it is our own
    return found


def test_a_method_is_a_part(known):
    conductor = module(
        'nova.conductor.manager',
        'class ComputeTaskManager:\n'
        '    def _create_and_bind_arq_for_instance(self, host):\n'
        '        return [host]\n',
    )

    parts.wrap(known, conductor)

    bind = conductor.ComputeTaskManager()._create_and_bind_arq_for_instance
    assert bind('compute1') == ['compute1']
    (line,) = known.recorder.lines
    assert (line['kind'], line['role']) == ('part', 'nova-conductor')


def test_all_functions_of_a_module_are(known):
    guards = module(
        'nova_cyborg.nova.conductor.guards',
        'import contextlib\n'
        'from os.path import join\n'
        'def check():\n'
        '    return 1\n'
        '@contextlib.contextmanager\n'
        'def guarding():\n'
        '    yield\n',
    )

    parts.wrap(known, guards)

    with guards.guarding():
        guards.check()
        guards.join('a', 'b')
    assert [each['name'] for each in known.recorder.lines] == ['check']


def test_what_is_not_there_is_not_taken_for_free(known):
    with pytest.raises(AttributeError):
        parts.wrap(known, types.ModuleType('nova.conductor.manager'))


def test_the_service_that_a_class_is_of():
    stock = type('Manager', (), {'__module__': 'nova.compute.manager'})
    ours = type('Ours', (stock,), {'__module__': 'nova_cyborg.x'})

    assert messages.role_of(ours) == 'nova-compute'
    assert messages.role_of(object) == ''


def test_nothing_is_written_down_where_nothing_is_measured(monkeypatch):
    monkeypatch.delenv(recording.VARIABLE, raising=False)

    assert recording.recorder() is None


@pytest.mark.parametrize(
    ('context', 'request_id'),
    [
        (None, ''),
        ({'request_id': 'req-1'}, 'req-1'),
        ({'request_id': 'req-1', 'global_request_id': 'req-2'}, 'req-2'),
        (types.SimpleNamespace(request_id='req-3'), 'req-3'),
    ],
)
def test_the_id_that_goes_through_all_services(context, request_id):
    assert units.of(context) == request_id
