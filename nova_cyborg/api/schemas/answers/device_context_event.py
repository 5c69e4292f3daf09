# SPDX-License-Identifier: Apache-2.0

"""The JSON schema of the events of device contexts."""

from nova_cyborg.api.schemas import answers
from nova_cyborg.db.events import actions

_EVENT = answers.answer(
    {
        'uuid': answers.uuid('Of the event.'),
        'action': {
            'enum': list(actions.Action.ALL),
            'description': 'What was done.',
        },
        'outcome': {
            'enum': list(actions.Outcome.ALL),
            'description': '``started``, ``success`` or ``error``.',
        },
        'message': answers.text(
            'Why it failed; of ``update``, which fields were changed.',
            null=True,
        ),
        'server_id': answers.uuid(
            'The server that it was done for.', null=True
        ),
        'host': answers.text(
            'The node of the devices, of ``bind``, ``unbind`` and ``move``.',
            null=True,
        ),
        'user_id': answers.text(
            'Who did it; null if a service did by itself.', null=True
        ),
        'project_id': answers.text(
            'With a token of which project; null if a service did by itself.',
            null=True,
        ),
        'request_id': answers.text('The request to cyborg-api.', null=True),
        'created_at': answers.time('When.'),
    },
    'Event',
    'What was done with a device context.',
)

LIST = answers.page('events', _EVENT, 'What has become of the device context.')
