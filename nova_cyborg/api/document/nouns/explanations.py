# SPDX-License-Identifier: Apache-2.0

"""Operations that explain why no host has what is asked for."""

from nova_cyborg import exception
from nova_cyborg.api.document.operations import (
    Answer,
    Errors,
    Operation,
    Schema,
)
from nova_cyborg.api.policies import device_context as policies
from nova_cyborg.api.schemas import explanation as schemas
from nova_cyborg.api.schemas import groups
from nova_cyborg.api.schemas.answers import explanation as answers

_COLLECTION = '/v2/device_contexts'
_POLICIES = (policies.EXPLAIN, policies.EXPLAIN_NUMBERS)
_ANSWER = Answer(200, 'The explanation.', answers.SHOWN)
_PLACEMENT: Errors = {
    exception.PlacementFailed: 'Placement does not answer, or refuses'
}
_OF_GROUPS: Schema = {
    **schemas.OF_GROUPS,
    'properties': {**schemas.OF_GROUPS['properties'], **groups.DETAILED},
    'oneOf': groups.FORMS,
}

OPERATIONS = (
    Operation(
        name='explain_device_context',
        method='POST',
        path=_COLLECTION + '/{uuid}/explain',
        summary='Explain why no host has what a device context asks for',
        description='Says, too, what to change. Nothing is changed.',
        policies=_POLICIES,
        body=schemas.OF_CONTEXT,
        answers=(_ANSWER,),
        errors=_PLACEMENT,
    ),
    Operation(
        name='explain_groups',
        method='POST',
        path=_COLLECTION + '/explain',
        summary='Explain why no host has what a device context would ask for',
        description='As for one that is made. Nothing is made.',
        policies=_POLICIES,
        body=_OF_GROUPS,
        answers=(_ANSWER,),
        errors={**_PLACEMENT, exception.DeviceProfileNotFound: ''},
    ),
)
