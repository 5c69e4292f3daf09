# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of what Nova is answered."""

import typing as ty

from nova_cyborg.api.schemas import answers
from nova_cyborg.api.schemas.answers import device_context

_GENERATION = answers.number(
    '0 at first; rises by one with each attempt to bring the server to a host.'
)
_FIELDS = {
    'server_id': answers.uuid('The server.'),
    'project_id': answers.text('Its project.'),
    'generation': _GENERATION,
    'fault': answers.text('Why the last binding failed, or null.', null=True),
    'device_contexts': answers.items(
        device_context.FOR_NOVA, 'The device contexts.'
    ),
}
_COMBINATIONS = answers.answer(
    {
        'plain': answers.number('How many without these options.'),
        'pruned': answers.number(
            'How many if Placement has the options that have it prune.'
        ),
    },
    'Combinations',
    'How many combinations of free devices Placement would try, at most, for '
    'the device contexts and the flavor together; 0 for one group. Of '
    'alternatives, those count that have the most.',
)
_TAINTS = answers.items({'type': 'string'}, 'The keys of all taints.')
_CONTEXT = {'device_context': device_context.FOR_NOVA}

SHOWN = answers.answer(
    _FIELDS, 'DeviceAllocation', 'The device contexts that a server holds.'
)
AS_ASKED = answers.answer(
    _FIELDS | {'combinations': _COMBINATIONS, 'taints': _TAINTS},
    'DeviceAllocationToSchedule',
    'The device contexts of a server that is about to be scheduled.',
)
CHECKED = answers.answer(
    {
        'device_contexts': answers.items(
            device_context.FOR_NOVA,
            'The device contexts, in the order of the request.',
        ),
        'combinations': _COMBINATIONS,
    }
)
OVERDUE = answers.answer(
    {
        'told': answers.boolean('Whether it is this process that is told.'),
        'servers': answers.items(
            {'type': 'string', 'format': 'uuid'}, 'The servers, 50 at most.'
        ),
        'marker': answers.number(
            'What to ask for the next ones with; 0 after the last.'
        ),
    }
)
BEGUN = answers.answer(
    {
        'generation': _GENERATION,
        'arqs': answers.items(
            {'type': 'string', 'format': 'uuid'}, 'The ARQs.'
        ),
    }
)
ATTACHING = answers.answer(
    {
        'generation': _GENERATION,
        **_CONTEXT,
        'taints': _TAINTS,
        'resumed': answers.boolean(
            'Whether a call had begun to attach it already, of which '
            'something may be there.'
        ),
        'held': answers.items(
            {'type': 'string', 'format': 'uuid'},
            'All device contexts that the server holds then.',
        ),
        'groups': answers.number('How many groups the server has with it.'),
        'combinations': _COMBINATIONS,
    }
)
DETACHING = answers.answer(_CONTEXT)
UNPLUGGED = answers.answer(
    {
        'resources': answers.by_name(
            answers.by_name({'type': 'integer'}, 'Amounts by resource class.'),
            "For each of the providers that is a device's, what the server's "
            'other ARQs have of it, those of device profiles, too.',
        )
    }
)
DETACHED = answers.answer(
    {
        'contexts': answers.number(
            'How many device contexts the server still holds; also if it did '
            'not hold this one.'
        )
    }
)

_ARQ: dict[str, ty.Any] = answers.answer(
    {
        'uuid': answers.uuid('UUID of the ARQ.'),
        'state': answers.text("Cyborg's state of it."),
        'device_profile_name': answers.text(
            'The device profile, which may be a hidden one.', null=True
        ),
        'device_profile_group_id': answers.number(
            'Number of the group, from 0.'
        ),
        'hostname': answers.text('The node.', null=True),
        'device_rp_uuid': answers.uuid("The device's provider.", null=True),
        'instance_uuid': answers.uuid('The server.', null=True),
        'project_id': answers.text('The project.', null=True),
        'attach_handle_type': answers.text('Its kind of slot.', null=True),
        'attach_handle_uuid': answers.uuid('Its attach handle.', null=True),
        'attach_handle_info': answers.by_name(
            {'type': 'string'}, 'The address of its slot.'
        ),
        'links': {
            'type': 'array',
            'items': {'type': 'object'},
            'description': 'Where it is.',
        },
        'created_at': answers.text('When it was made.', null=True),
        'updated_at': answers.text('When it was changed.', null=True),
        'missing': answers.boolean(
            'Whether its host does not report its slot; left out if it does.'
        ),
        'tag': answers.text(
            'The tag of its device context; left out if it has none.'
        ),
        'detaching': answers.boolean(
            'Whether its device context is being detached; left out if not.'
        ),
    },
    'ARQ',
    "An accelerator request in Cyborg's form.",
    optional=('created_at', 'updated_at', 'missing', 'tag', 'detaching'),
)
ACTIVATED = answers.answer(
    {'arqs': answers.items(_ARQ, 'What was bound for the migration.')}
)
