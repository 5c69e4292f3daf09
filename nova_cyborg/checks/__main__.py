# SPDX-License-Identifier: Apache-2.0

"""``python -m nova_cyborg.checks SIDE [FILE ...]``: the checks of one side.

Nova and Cyborg keep their configuration in one and the same global object,
so each side has a process of its own. Prints the results as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys

from nova_cyborg.checks import results

_SIDES = {
    'nova': 'nova_cyborg.checks.nova_side',
    'cyborg': 'nova_cyborg.checks.cyborg_side',
    'placement': 'nova_cyborg.checks.placement_side',
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
