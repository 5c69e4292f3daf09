# SPDX-License-Identifier: Apache-2.0

"""Which driver cleans a slot, and what the conductor is told."""

import dataclasses
import json
import threading
from unittest import mock

import pytest
from cyborg.conductor import rpcapi

from nova_cyborg import exception
from nova_cyborg.cyborg.agent import cleaning

SECONDS = 30
ADDRESS = {'domain': '0000', 'bus': '0c', 'device': '00', 'function': '1'}


def slot(number=0, **info):
    return cleaning.Slot(
        handle_id=f'handle-{number}',
        cleaning_id=f'cleaning-{number}',
        deployable='host1_0000:0c:00.0',
        attach_type='PCI',
        attach_info=json.dumps({**ADDRESS, **info}),
    )


@pytest.fixture
def conductor():
    """What cyborg-conductor answers, and is told."""
    api = mock.create_autospec(rpcapi.ConductorAPI, instance=True)
    api.client = mock.Mock()
    return api


@pytest.fixture
def told(conductor):
    def _told():
        return [
            call.kwargs['error']
            for call in conductor.client.prepare.return_value.call.mock_calls
            if call.args[1] == 'end_cleaning'
        ]

    return _told


@pytest.fixture
def clean(conductor):
    def _clean(*drivers):
        cleaner = cleaning.Cleaner(drivers, conductor)
        cleaner.begin(mock.sentinel.context, slot()).result(SECONDS)

    return _clean


class Driver:
    def __init__(self, outcome):
        self._outcome = outcome

    def clean(self, slot):
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


@pytest.mark.parametrize(
    ('drivers', 'error'),
    [
        ([Driver(True)], None),
        ([object(), Driver(False), Driver(True), Driver(ValueError())], None),
        ([Driver(False), object()], 'No driver of cyborg-agent'),
        ([Driver(exception.CleaningFailed(reason='It burns.'))], 'It burns.'),
        ([Driver(ValueError('x' * 300))], 'x' * 255),
        ([Driver(ValueError())], 'ValueError'),
    ],
)
def test_the_conductor_is_told(clean, told, drivers, error):
    clean(*drivers)

    (found,) = told()
    assert found == error or (error and found.startswith(error))


def test_slots_with_one_cleaning_id_are_both_cleaned(conductor):
    # As a cyborg-conductor of an earlier release has them cleaned.
    slots = [
        dataclasses.replace(slot(number), cleaning_id='cleaning')
        for number in range(2)
    ]
    driver = mock.Mock()
    conductor.client.prepare.return_value.call.side_effect = (
        lambda *args, **_: args[1] != 'end_cleaning' or _fail()
    )
    cleaner = cleaning.Cleaner([driver], conductor)

    for each in slots:
        cleaner.begin(mock.sentinel.context, each).result(SECONDS)

    assert driver.clean.mock_calls == [mock.call(each) for each in slots]


def _fail():
    raise OSError('The conductor does not answer.')


def test_what_is_under_way_is_not_told(clean, told):
    clean(Driver(exception.CleaningUnderWay(slot='x')))

    assert told() == []


def test_a_name_is_one_of_a_file():
    assert slot().name == 'host1_0000:0c:00.0_0000:0c:00.1'
    assert slot(vgpu_mark='../x').name.endswith('_0000:0c:00.1_.._x')


def test_four_at_a_time_and_each_once(conductor, told):
    running = threading.Semaphore(0)
    go_on = threading.Event()
    most = threading.Semaphore(4)

    class Slow:
        def clean(self, slot):
            assert most.acquire(blocking=False)
            running.release()
            go_on.wait(SECONDS)
            most.release()
            return True

    cleaner = cleaning.Cleaner([Slow()], conductor)
    futures = [
        cleaner.begin(mock.sentinel.context, slot(number))
        for number in range(8)
    ]
    for _number in range(4):
        assert running.acquire(timeout=SECONDS)
    again = cleaner.begin(mock.sentinel.context, slot(0))
    go_on.set()
    for future in futures:
        future.result(SECONDS)

    assert again is None
    assert told() == [None] * 8
