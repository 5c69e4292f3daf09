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

"""The script in an environment that lacks Cyborg."""

import subprocess
import sys

_RUN = (
    'import sys; sys.modules["cyborg"] = None; sys.argv[1:] = ["--help"]; '
    'from nova_cyborg.cmd import script; sys.exit(script.manage())'
)


def test_without_cyborg_it_says_what_to_install():
    done = subprocess.run(
        [sys.executable, '-c', _RUN],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, '')
    assert 'Traceback' not in done.stderr
    assert 'there is no module cyborg' in done.stderr
    assert 'nova-cyborg[cyborg]' in done.stderr
