# SPDX-License-Identifier: Apache-2.0
"""What is shown of a service's log when a step has failed."""

from tools.cloud.supervisor import logs

_TRACEBACK = """\
2026-11-22 11:06:05.000 7 INFO cyborg.agent [-] Starting
Traceback (most recent call last):
  File "agent.py", line 7, in start
    raise InvalidDevicesFile()
nova_cyborg.exception.InvalidDevicesFile: Devices file f, device 1: wrong
2026-11-22 11:06:06.000 7 INFO cyborg.agent [-] Stopping
"""


def test_what_a_traceback_is_about(tmp_path):
    path = tmp_path / 'cyborg.log'
    path.write_text(_TRACEBACK)

    first, *_between, last = logs.telling_lines(path)

    assert first.startswith('Traceback')
    assert last.endswith('Devices file f, device 1: wrong')


def test_the_end_of_a_log_without_errors(tmp_path):
    path = tmp_path / 'nova.log'
    path.write_text('one\ntwo\n')

    assert logs.telling_lines(path) == ['one', 'two']


def test_no_log(tmp_path):
    assert logs.telling_lines(tmp_path / 'nova.log') == []
