# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Which release of Debian the hypervisor machine has."""

from tools.hypervisor import rootfs


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
