# SPDX-License-Identifier: Apache-2.0

"""How often something is done for what a guest can ask for."""

from nova_cyborg.nova.compute.libvirt.guests import attempts


class Clock:
    """The time, as the test has it."""

    def __init__(self):
        self.seconds = 1000.0

    def now(self):
        return self.seconds


def test_so_often_within_the_time():
    clock = Clock()
    counted = attempts.Attempts(2, 60, clock.now)
    assert counted.begin('a')
    clock.seconds += 30
    assert counted.begin('a')
    assert not counted.begin('a')
    # What was refused is none.
    clock.seconds += 30
    assert counted.begin('a')
    assert not counted.begin('a')
    clock.seconds += 60
    assert counted.begin('a')
    assert counted.begin('a')


def test_each_has_its_own():
    counted = attempts.Attempts(1, 60, Clock().now)
    assert counted.begin('a')
    assert counted.begin('b')
    assert not counted.begin('a')


def test_what_is_over_is_forgotten():
    clock = Clock()
    counted = attempts.Attempts(1, 60, clock.now)
    for name in range(100):
        assert counted.begin(str(name))
        clock.seconds += 30
    assert len(counted._begun) <= 2
