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

"""What the script ``nova-cyborg-manage`` starts.

The script comes with the plain install, which has nothing of Cyborg.
"""

import sys


def manage() -> int:
    """Run ``nova-cyborg-manage``, where it can be run.

    :returns: the exit status.
    """
    try:
        from nova_cyborg.cmd import manage as command
    except ModuleNotFoundError as error:
        print(
            'nova-cyborg-manage works on the database of Cyborg, and there '
            f'is no module {error.name} here. Run it on a host of '
            'cyborg-api, with "nova-cyborg[cyborg]" installed.',
            file=sys.stderr,
        )
        return 1
    return command.main()
