# SPDX-License-Identifier: Apache-2.0

"""What the guest's boot loader and kernel are told."""

import pathlib

import pytest

from tools.seldom.guest import commands
from tools.seldom.guest.image import disk


@pytest.fixture(name='config')
def _config(tmp_path, monkeypatch):
    """The lines of the boot loader's configuration."""
    copied = {}

    def run(*command, tools):
        if command[0] == 'mcopy':
            path = pathlib.Path(command[3])
            copied[path.name] = path.read_bytes()

    monkeypatch.setattr(commands, 'run', run)
    disk.make(tmp_path / 'guest.img', b'kernel', b'initramfs', ())
    return [
        line.strip() for line in copied['syslinux.cfg'].decode().split('\n')
    ]


def test_the_boot_loader_speaks_on_the_console(config):
    # It must be the first line to count for all that is printed.
    assert config[0].split()[:2] == ['SERIAL', '0']


def test_the_kernel_tells_how_far_it_has_come(config):
    [arguments] = [line.split()[1:] for line in config if 'APPEND' in line]

    assert 'console=ttyS0' in arguments
    assert 'quiet' not in arguments
