# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of device contexts as they are shown."""

import typing as ty

from nova_cyborg import model
from nova_cyborg.api.schemas import answers, groups

_GROUP = answers.answer(
    # Normalised, so that all of them are there.
    groups.FIELDS,
    'Group',
    'What is to be found on one device.',
)
_GROUPS = answers.items(
    {
        'title': 'ShownGroup',
        'oneOf': [
            _GROUP,
            answers.answer(
                {
                    'first_available': answers.items(
                        _GROUP, 'Its alternatives.'
                    ),
                    'chosen': answers.number(
                        'The number of the alternative that the devices of '
                        'the active binding are of, from 0; null while there '
                        'is none. ``devices`` of each binding have those of '
                        'the others.',
                        null=True,
                    ),
                }
            ),
        ],
    },
    'Its groups, with all five fields, normalised; or with '
    '``first_available`` and ``chosen``.',
)
_GROUPS_FOR_NOVA = answers.items(
    answers.answer(
        {
            **groups.FIELDS,
            'others': answers.items(
                _GROUP, 'The alternatives but the first, if there are several.'
            ),
        },
        'GroupForNova',
        'What is to be found on one device, or the first of its alternatives.',
        optional=('others',),
    ),
    'Its groups, normalised.',
)

_DEVICE = answers.answer(
    {
        'arq_id': answers.uuid('UUID of the ARQ.'),
        'group': answers.number('Number of the group, from 0.'),
        'alternative': answers.number(
            "Number of the group's alternative that it is of, from 0."
        ),
        'state': answers.text("Cyborg's state of the ARQ."),
        'host': answers.text('The node.', null=True),
        'resource_provider_id': answers.uuid(
            "The device's resource provider.", null=True
        ),
        'attach_handle_type': answers.text(
            '``PCI``, ``MDEV`` or ``TEST_PCI``; null before it is bound.',
            null=True,
        ),
        'attach_handle_id': answers.uuid(
            'UUID of the attach handle; null before it is bound.', null=True
        ),
        'attach_handle_info': answers.by_name(
            {'type': 'string'},
            "Cyborg's address of the slot; empty before it is bound.",
        ),
        'slot': answers.text(
            'The PCI address; for ``MDEV`` the UUID of the mediated device.',
            null=True,
        ),
        'missing': answers.boolean(
            'Whether the device is bound, and its host does not report it any '
            'more. The status of the context is ``error`` then, until it is '
            'back.'
        ),
    },
    'Device',
    'An ARQ of a device context, and its slot.',
)
_BINDING = answers.answer(
    {
        'host': answers.text('The node.'),
        'state': {
            'enum': list(model.BindingState.ALL),
            'description': '``active``; ``inactive``, if the server is to be '
            'moved there; or ``leaving``, if it was moved from there, and may '
            'come back.',
        },
        'devices': answers.items(_DEVICE, 'The devices.'),
    },
    'Binding',
    'The devices of a device context on one node.',
)

_FIELDS: dict[str, dict[str, ty.Any]] = {
    'uuid': answers.uuid('What it is known by.'),
    'name': answers.text('What people call it.', null=True),
    'description': answers.text('What people say of it.', null=True),
    'project_id': answers.text(
        'The project whose it is: that of the token that made it.'
    ),
    'user_id': answers.text('The user whose token made it.'),
    'status': {
        'enum': list(model.Status.ALL),
        'description': 'Its state.',
    },
    'fault': answers.text(
        'Why it could not be attached or detached the last time, or why there '
        'was no host for its server; or else, why the last binding of its '
        'server failed.',
        null=True,
    ),
    'delete_on_termination': answers.boolean(
        'Whether it is deleted with its server.'
    ),
    'live_migration': {
        'enum': list(model.LiveMigration.ALL),
        'description': 'What becomes of its devices when its server is '
        'migrated while it runs: ``refuse``, ``detach`` or ``native``.',
    },
    'tag': answers.text(
        'Its *device tag*: by which a guest finds its device in its metadata. '
        'No two device contexts of a server have the same.',
        null=True,
    ),
    'tags': answers.items(
        {'type': 'string'}, 'What it is found by in lists, sorted.'
    ),
    'groups': _GROUPS,
    'device_profile_id': answers.uuid(
        'UUID of the device profile that the groups were copied from.',
        null=True,
    ),
    'server_id': answers.uuid('The server that holds it.', null=True),
    'host': answers.text('The node of its devices.', null=True),
    'devices': answers.items(
        _DEVICE, 'One object an ARQ; empty while there is none.'
    ),
    'bindings': answers.items(
        _BINDING,
        'One object for each node that it has devices on. ``host`` and '
        '``devices`` of the device context are those of the active one.',
    ),
    'revision': answers.number(
        '0 at first; rises with each update, with each change of its tags, '
        'and when it is attached with a device tag. What happens to it '
        'otherwise is no change of it.'
    ),
    'created_at': answers.time('When it was made.', null=True),
    'updated_at': answers.time(
        'When it was changed last; null if it was not.', null=True
    ),
    'links': answers.LINKS,
}

SHOWN = answers.answer(
    _FIELDS, 'DeviceContext', 'What a project has of accelerators.'
)
#: As a query with ``fields`` has it.
PART = answers.answer(
    _FIELDS,
    'DeviceContextPart',
    'A device context, with those of its fields that were wanted.',
    optional=_FIELDS,
)
FOR_NOVA = answers.answer(
    {name: schema for name, schema in _FIELDS.items() if name != 'tags'}
    | {'groups': _GROUPS_FOR_NOVA},
    'DeviceContextForNova',
    'A device context as Nova is told of it.',
)

_WARNINGS = answers.items(
    {'type': 'string'},
    'A sentence for each resource class and each trait that is asked for and '
    'that no device of the cloud has as yet.',
)
CREATED = answers.answer(
    _FIELDS | {'warnings': _WARNINGS},
    'CreatedDeviceContext',
    'The device context, and what may be wrong with it.',
)
CREATED_SEVERAL = answers.answer(
    {
        'device_contexts': answers.items(
            SHOWN, 'The device contexts in full, in the order of the request.'
        ),
        'warnings': _WARNINGS,
    },
    'CreatedDeviceContexts',
)
LIST = answers.page('device_contexts', PART, 'The device contexts.')

TAGS = answers.answer(
    {'tags': answers.items({'type': 'string'}, 'The tags, sorted, each once.')}
)
