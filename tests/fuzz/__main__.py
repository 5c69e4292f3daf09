# SPDX-License-Identifier: Apache-2.0

"""A long campaign: at least 20,000 requests, and nothing wrong."""

from tests.fuzz import campaign, world  # isort: skip - first

import argparse
import logging
import sys
import time

from nova_cyborg.api.document import nouns

#: The fewest requests that a campaign is to have, and the most seconds.
REQUESTS, SECONDS = 20_000, 900
# Findings of one who calls that are told, and how much of each.
_TOLD, _CHARACTERS = 10, 1000


def main() -> int:
    """Run it; the process ends with what is returned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seed', type=int, default=campaign.SEED)
    parser.add_argument('--examples', type=int, default=campaign.LONG.examples)
    arguments = parser.parse_args()
    # What is refused is logged, too.
    logging.disable(logging.CRITICAL)
    effort = campaign.Effort(arguments.examples, each_bound=True)
    begun = time.monotonic()
    requests = found = 0
    done: set[str] = set()
    for persona in world.PERSONAS:
        outcome = campaign.run(persona, effort, arguments.seed)
        requests += outcome.requests
        found += len(outcome.findings)
        done |= {name for (name, status) in outcome.answered if status < 300}
        _tell(persona.name, outcome)
    print(f'Never done: {sorted(_operations() - done)}')
    seconds = time.monotonic() - begun
    print(f'{requests} requests, {found} findings, {seconds:.0f} s')
    if requests < REQUESTS:
        print(f'There are to be {REQUESTS} requests.')
    if seconds > SECONDS:
        print(f'It is to take {SECONDS} s at most.')
    return int(found > 0 or requests < REQUESTS or seconds > SECONDS)


def _operations() -> set[str]:
    return {operation.name for operation in nouns.operations()}


def _tell(name: str, outcome: campaign.Outcome) -> None:
    by_hundreds = {
        f'{hundreds}xx': sum(
            count
            for (_name, status), count in outcome.answered.items()
            if status // 100 == hundreds
        )
        for hundreds in range(2, 6)
    }
    print(
        f'{name}: {outcome.requests} requests, {len(outcome.findings)} '
        f'findings, {outcome.seconds:.0f} s, {by_hundreds}',
        flush=True,
    )
    for finding in outcome.findings[:_TOLD]:
        print(f'  {finding[:_CHARACTERS]}')


if __name__ == '__main__':
    sys.exit(main())
