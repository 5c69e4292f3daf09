# SPDX-License-Identifier: Apache-2.0

"""The JSON schema of what operators are told of the reconciler."""

from nova_cyborg.api.schemas import answers


def _counts(description: str) -> dict[str, object]:
    return answers.by_name(
        {'type': 'integer', 'minimum': 0},
        f'{description}, by kind, since it has begun.',
    )


_RECONCILER = answers.answer(
    {
        'host': answers.text(
            'The host of the cyborg-conductor that reconciles, or did so '
            'last.',
            null=True,
        ),
        'active': answers.boolean('Whether it still does.'),
        'last_good_round': {
            'type': ['number', 'null'],
            'description': 'Seconds since a round began that got through all '
            'that Nova had changed; null if none has.',
        },
        'interval': {
            'type': ['number', 'null'],
            'description': 'Its ``reconcile_interval``.',
        },
        'oldest_suspect': {
            'type': ['number', 'null'],
            'description': 'For how many seconds that has disagreed which is '
            'known longest; null if nothing does.',
        },
        'found': _counts('What disagreed twice'),
        'repaired': _counts('What was put right'),
        'failed': _counts('How often that has failed'),
        'builds_host': answers.text(
            'The host of the nova-conductor that ends builds which were '
            'interrupted, or did so last.',
            null=True,
        ),
        'builds_active': answers.boolean('Whether that still does.'),
    },
    'Reconciler',
    'Who puts right what disagrees, and what that was.',
)

RECONCILER = answers.answer({'reconciler': _RECONCILER})
