# SPDX-License-Identifier: Apache-2.0

"""The operation on what has become of a device context."""

from nova_cyborg import exception
from nova_cyborg.api.document.operations import Answer, Operation
from nova_cyborg.api.policies import device_context_event as policies
from nova_cyborg.api.schemas import device_context_event as schemas
from nova_cyborg.api.schemas.answers import device_context_event as answers

OPERATIONS = (
    Operation(
        name='list_device_context_events',
        method='GET',
        path='/v2/device_contexts/{uuid}/events',
        summary='List what has become of a device context',
        description='It may be deleted by now. A page has 200 events at most.',
        policies=(policies.GET_ALL,),
        query=schemas.LIST,
        answers=(Answer(200, 'The events.', answers.LIST),),
        errors={
            exception.DeviceContextNotFound: 'nothing is known of one of the '
            'project',
            exception.EventNotFound: 'the marker is not among its events',
        },
    ),
)
