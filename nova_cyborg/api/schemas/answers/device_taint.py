# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of device taints as they are shown."""

from nova_cyborg.api.schemas import answers, groups

SHOWN = answers.answer(
    {
        'uuid': answers.uuid('What it is known by.'),
        'device_uuid': answers.uuid('The device, as in ``GET /v2/devices``.'),
        'key': groups.KEY
        | {
            'description': '1 to 64 small letters and digits, with single '
            'hyphens between them. A device has a key once. In Placement it '
            'is the trait ``CUSTOM_TAINT_`` and the key, in upper case and '
            'with underscores.'
        },
        'reason': answers.text(
            'Why: 1 to 1024 printable characters of any script.'
        ),
        'source': {
            'enum': ['operator', 'agent'],
            'description': '``operator``; ``agent`` if it is what the agent '
            'of its host says.',
        },
        'created_at': answers.time('When it was made.'),
        'links': answers.LINKS,
    },
    'DeviceTaint',
    'Why a device is given only to who tolerates that.',
)

LIST = answers.page(
    'device_taints', SHOWN, 'The taints, in order of their making.'
)
