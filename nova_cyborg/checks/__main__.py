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

"""``python -m nova_cyborg.checks SIDE [FILE ...]``: the checks of one side.

Nova and Cyborg keep their configuration in one and the same global object,
so each has a process of its own. Prints the results as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys

from nova_cyborg.checks import results

_SIDES = {
    'nova': 'nova_cyborg.checks.nova_side',
    'cyborg': 'nova_cyborg.checks.cyborg_side',
}


def main() -> None:
    """Run the checks."""
    # What the services' modules print must not get between the JSON.
    output, sys.stdout = sys.stdout, sys.stderr
    side = importlib.import_module(_SIDES[sys.argv[1]])
    side.prepare(sys.argv[2:])
    print(json.dumps(results.run(side.CHECKS)), file=output, flush=True)


if __name__ == '__main__':
    main()
