# SPDX-License-Identifier: Apache-2.0

"""Operations that tell something of the cloud as a whole."""

from nova_cyborg.api.document import headers
from nova_cyborg.api.document.operations import Answer, Operation
from nova_cyborg.api.policies import device_context_openapi, reconciler
from nova_cyborg.api.schemas.answers import reconciler as answers

OPERATIONS = (
    Operation(
        name='show_reconciler',
        method='GET',
        path='/v2/reconciler',
        summary='Show who puts right what disagrees, and what that was',
        policies=(reconciler.GET,),
        answers=(Answer(200, 'The reconciler.', answers.RECONCILER),),
    ),
    Operation(
        name='show_document',
        method='GET',
        path='/v2/device_context_openapi',
        summary='Show this document',
        description='Any token will do. The document is the same for all, and '
        'may be kept for an hour.',
        policies=(device_context_openapi.GET,),
        headers=(headers.IF_NONE_MATCH,),
        answers=(
            Answer(
                200,
                'The document, in OpenAPI 3.1.',
                {
                    'type': 'object',
                    'description': 'As the OpenAPI Specification has it.',
                },
                (headers.ETAG,),
            ),
            Answer(304, 'It is one that is known.', headers=(headers.ETAG,)),
        ),
    ),
)
