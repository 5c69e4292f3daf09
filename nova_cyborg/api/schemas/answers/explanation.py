# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of why no host has what is asked for."""

from nova_cyborg.api.schemas import answers
from nova_cyborg.explaining import requirements

_REQUIREMENT = answers.answer(
    {
        'requirement': answers.text('What is required, for people.'),
        'kind': {
            'enum': list(requirements.Kind.ALL),
            'description': '``resource_class``, ``amount``, ``trait`` or '
            '``forbidden_trait`` of a group; ``flavor_resource``, '
            '``host_trait``, ``forbidden_host_trait``, ``host_able`` (to give '
            'devices to servers), ``host_enabled``, ``other`` (the groups of '
            'the flavor itself) or ``place`` of the host; ``alternatives``, '
            'all of it with another combination of alternatives than the one '
            'of which the rows before are: the first that fits, or else the '
            'first.',
        },
        'name': answers.text(
            'The resource class or the trait; a word for others.'
        ),
        'met': {
            'type': ['boolean', 'null'],
            'description': 'Whether a host is left with it and all before it; '
            'null if that was not looked at.',
        },
        'hosts': answers.number(
            'How many hosts are left; null if they were not counted. Only by '
            'the second policy.',
            null=True,
        ),
        'more': answers.boolean(
            'Whether there may be more. Only by the second policy.'
        ),
    },
    'Requirement',
    'What was looked at.',
    optional=('hosts', 'more'),
)

SHOWN = answers.answer(
    {
        'fits': {
            'type': ['boolean', 'null'],
            'description': 'Whether a host has all of it free, with any '
            'combination of alternatives. Null if that was not found out: no '
            'host has the combinations that were looked into, if any were, '
            'and another one may fit. False, too, if a boot is refused before '
            'hosts are looked at, as by a limit of the project.',
        },
        'sentence': answers.text('What to change, for people.'),
        'requirements': answers.items(
            _REQUIREMENT, 'What was looked at, in order.'
        ),
        'warnings': answers.items(
            {'type': 'string'},
            'A sentence for each extra spec of the flavor, or property of the '
            'image, that Nova ignores, such as an amount that is no whole '
            'number. It was not looked at.',
        ),
    },
    'Explanation',
    'Why no host has what is asked for, or that one has.',
)

OF_SERVER = answers.answer(
    {'sentence': answers.text('What to change, for people.')}
)
