# SPDX-License-Identifier: Apache-2.0

"""Tests of the wait until a cloud has healed itself."""

import time
from unittest import mock

import pytest
import sqlalchemy.exc

from tools.command_line import progress
from tools.seldom.chaos import healing
from tools.seldom.chaos.actors import administrator
from tools.seldom.chaos.damage import count

_NONE = count.Damage([], [], [])
_SOME = count.Damage(['a context'], [], [])
_BOUNDS = healing.Bounds(60, 210)


class _Cloud:
    """What there is at which second; the clock stands still in between."""

    def __init__(self, monkeypatch):
        self.seconds = 0.0
        self.said = []
        monkeypatch.setattr(time, 'monotonic', lambda: self.seconds)
        monkeypatch.setattr(time, 'sleep', self._sleep)

    def _sleep(self, seconds):
        self.seconds += seconds

    def wait(self, damage, servers):
        """Wait; both are functions of the seconds."""
        counter = mock.create_autospec(count.Count, instance=True)
        counter.damage.side_effect = lambda: damage(self.seconds)
        helper = mock.create_autospec(
            administrator.Administrator, instance=True
        )
        helper.clear.side_effect = lambda spare: servers(self.seconds, spare)
        report = progress.Progress(self.said.append)
        waiting = healing.Waiting(helper, counter, _BOUNDS, report)
        return waiting.wait()


@pytest.fixture
def cloud(monkeypatch):
    return _Cloud(monkeypatch)


def _until(second, before, after):
    return lambda seconds, *_spare: before if seconds < second else after


def _servers(**fields):
    return administrator.Servers(
        **{name: frozenset({server}) for name, server in fields.items()}
    )


_NOBODY = _until(0, None, _servers())


def test_there_is_no_damage(cloud):
    healed = cloud.wait(_until(0, None, _NONE), _NOBODY)

    assert healed
    assert healed.seconds == 0
    assert len(cloud.said) == 1


def test_damage_goes(cloud):
    healed = cloud.wait(_until(45, _SOME, _NONE), _NOBODY)

    assert healed
    assert healed.seconds == 50
    assert '40 s after all services were up: lost 1' in cloud.said[4]


def test_damage_goes_too_late(cloud):
    healed = cloud.wait(_until(65, _SOME, _NONE), _NOBODY)

    assert not healed
    assert not healed.in_time
    assert healed.seconds == 70
    assert not healed.damage


def test_damage_stays(cloud):
    healed = cloud.wait(_until(0, None, _SOME), _NOBODY)

    assert not healed
    assert healed.seconds is None
    assert healed.damage == _SOME
    assert any('lost: a context' in line for line in cloud.said)


def test_damage_comes_back_while_servers_are_deleted(cloud):
    def damage(seconds):
        return _SOME if seconds == 10 else _NONE

    healed = cloud.wait(damage, _until(15, _servers(deleting='a'), _servers()))

    assert healed
    assert healed.seconds == 20


def test_a_build_that_was_interrupted_ends(cloud):
    """It is deleted then, which is not done in a moment."""

    def damage(seconds):
        return _SOME if seconds == 130 else _NONE

    def servers(seconds, spare):
        assert spare
        if seconds < 120:
            return _servers(building='a')
        return _servers(deleting='a') if seconds < 140 else _servers()

    healed = cloud.wait(damage, servers)

    assert healed
    assert healed.seconds == 0


def test_a_build_never_ends(cloud):
    def servers(seconds, spare):
        if spare:
            return _servers(building='a')
        return _servers(unbuilt='a') if seconds < 230 else _servers()

    healed = cloud.wait(_until(0, None, _NONE), servers)

    assert not healed
    assert healed.never_ended == ['a']
    assert healed.undeletable == []


def test_a_server_cannot_be_deleted(cloud):
    healed = cloud.wait(
        _until(0, None, _NONE), _until(0, None, _servers(deleting='a'))
    )

    assert not healed
    assert healed.never_ended == []
    assert healed.undeletable == ['a']


def test_nobody_answers_for_a_while(cloud):
    def damage(seconds):
        if seconds < 25:
            raise sqlalchemy.exc.OperationalError('', {}, Exception())
        return _NONE

    healed = cloud.wait(damage, _until(35, None, _servers()))

    assert healed
    assert healed.seconds == 30
    assert 'the database does not answer' in cloud.said[0]
    assert 'Nova does not answer' in cloud.said[0]


@pytest.mark.parametrize(
    ('text', 'seconds'),
    [
        ('[nova_cyborg]\nbuild_interrupted_after = 90\n', 210),
        ('[DEFAULT]\n', 540),
    ],
)
def test_bounds_of_a_cloud(tmp_path, text, seconds):
    path = tmp_path / 'etc' / 'nova' / 'nova.conf'
    path.parent.mkdir(parents=True)
    path.write_text(text)

    assert healing.Bounds.of_cloud(tmp_path) == healing.Bounds(60, seconds)
