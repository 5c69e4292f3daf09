# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of errors: ours as the API-SIG has them, and Keystone's."""

from nova_cyborg.api.schemas import answers

_ERROR = answers.answer(
    {
        'status': answers.number('The HTTP status.', minimum=400),
        'code': answers.text(
            'What is wrong, in a word that stays the same for ever.',
            pattern=r'^nova_cyborg(\.[a-z_]+)+$',
        ),
        'title': answers.text('What HTTP calls the status.'),
        'detail': answers.text(
            'A sentence for people: what is wrong, and what to do next.'
        ),
        'request_id': answers.text(
            'By which the log of cyborg-api names the request.', null=True
        ),
    },
    'Error',
    'What is wrong with a request.',
)

ERRORS = answers.answer(
    {
        'errors': answers.items(_ERROR, 'What is wrong.')
        | {'minItems': 1, 'maxItems': 1}
    },
    'Errors',
)

#: Of the middleware that stands before us.
OF_KEYSTONE = {
    'title': 'KeystoneErrors',
    'type': 'object',
    'properties': {
        'error': {
            'type': 'object',
            'properties': {
                'code': answers.number('The HTTP status.'),
                'title': answers.text('What HTTP calls the status.'),
                'message': answers.text('A sentence for people.'),
            },
            'description': 'What is wrong with the token.',
        }
    },
}
