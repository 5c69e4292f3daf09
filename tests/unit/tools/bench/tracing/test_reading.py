# SPDX-License-Identifier: Apache-2.0

"""What processes write down is read as they go on."""

import json

import pytest

from tools.bench.tracing import reading, recording, units

MARK = 'req-be9c4be9-'


@pytest.fixture
def recorder(tmp_path):
    return recording.Recorder(tmp_path)


class Clock:
    """Time passes when it is waited for, and something happens then."""

    def __init__(self):
        self.now = 0.0
        self.happens = {}

    def pause(self, seconds):
        self.now += seconds
        for when in [when for when in self.happens if when <= self.now]:
            self.happens.pop(when)()

    def read(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def traces(tmp_path, clock):
    return reading.Traces(tmp_path, MARK, clock.pause, clock.read)


def test_what_is_followed_is_found(recorder, traces):
    recorder.write('unit', request=f'{MARK}1', name='one')
    recorder.write('unit', request='req-other', name='other')
    recorder.write('unit', request=f'{MARK}2', name='two')

    assert [each['name'] for each in traces.of([f'{MARK}1'])] == ['one']
    assert [each['name'] for each in traces.of([f'{MARK}2'])] == ['two']
    assert traces.of([f'{MARK}1']) == []


def test_what_follows_is_waited_for(recorder, traces, clock):
    def write(name):
        return lambda: recorder.write('unit', request=f'{MARK}1', name=name)

    write('one')()
    clock.happens = {0.3: write('two'), 0.6: write('three'), 1.5: write('x')}

    found = traces.of([f'{MARK}1'])

    assert [each['name'] for each in found] == ['one', 'two', 'three']


def test_what_does_not_end_is_not_waited_for(recorder, traces, clock):
    def write():
        recorder.write('unit', request=f'{MARK}1', name='one')
        clock.happens[clock.now + 0.1] = write

    write()

    assert traces.of([f'{MARK}1'])
    assert clock.now < 11


def test_a_line_is_read_when_it_is_whole(tmp_path, traces):
    line = json.dumps(
        {'request': f'{MARK}1', 'name': 'one'}, separators=(',', ':')
    )
    (tmp_path / '1.jsonl').write_text(line[:10])
    assert traces.of([f'{MARK}1']) == []

    (tmp_path / '1.jsonl').write_text(line + '\n')

    assert len(traces.of([f'{MARK}1'])) == 1


def test_what_was_before_is_skipped(recorder, traces):
    recorder.write('unit', request=f'{MARK}1', name='one')

    traces.skip()
    recorder.write('unit', request=f'{MARK}1', name='two')

    assert [each['name'] for each in traces.of([f'{MARK}1'])] == ['two']


def test_a_unit_of_work_has_what_is_done_in_it(recorder, traces):
    known = units.Units(recorder)
    with known.of('cyborg-api', 'POST /bind', '') as unit:
        unit.request = f'{MARK}1'
        known.count(statements=1, sql_seconds=0.5)
        known.count(statements=1, sql_seconds=0.25)
        with known.part('rpc', 'apply', how='cast'):
            pass

    message, work = traces.of([f'{MARK}1'])

    assert (message['role'], message['how']) == ('cyborg-api', 'cast')
    assert (work['statements'], work['sql_seconds']) == (2, 0.75)
    assert work['begin'] <= message['begin'] <= message['end'] <= work['end']
