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

"""nova-cyborg-status with the services' own configuration."""

import pytest

from nova_cyborg.cmd import status


@pytest.mark.parametrize('side', ['nova', 'cyborg'])
def test_a_configuration_that_cannot_be_read(side, tmp_path, capsys):
    path = tmp_path / 'broken.conf'
    path.write_text('[DEFAULT\n')

    code = status.main(
        [f'--{side}-config-file', str(path), 'upgrade', 'check']
    )

    assert code == 2
    # The table breaks the lines.
    words = ' '.join(capsys.readouterr().out.replace('|', '').split())
    assert f'{side.capitalize()} could not be looked at' in words
    assert 'broken.conf' in words
