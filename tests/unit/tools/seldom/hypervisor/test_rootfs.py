# SPDX-License-Identifier: Apache-2.0

"""Which release of Debian the hypervisor machine has."""

from tools.seldom.hypervisor import rootfs


def test_the_release_of_the_outer_machine(monkeypatch):
    _tell(monkeypatch, {'ID': 'debian', 'VERSION_CODENAME': 'bookworm'})

    assert rootfs.release() == 'bookworm'


def test_a_machine_that_tells_none(monkeypatch):
    _tell(monkeypatch, {'ID': 'debian'})

    assert rootfs.release() == 'stable'


def _tell(monkeypatch, release):
    monkeypatch.setattr(
        rootfs.platform, 'freedesktop_os_release', lambda: release
    )
