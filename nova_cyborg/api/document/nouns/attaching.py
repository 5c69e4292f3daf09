# SPDX-License-Identifier: Apache-2.0

"""Operations of Nova on device contexts of servers that exist."""

import functools

from nova_cyborg import exception
from nova_cyborg.api.document.operations import Answer, Errors, Operation
from nova_cyborg.api.policies import device_allocation as policies
from nova_cyborg.api.schemas import device_allocation as schemas
from nova_cyborg.api.schemas.answers import device_allocation as answers

_MEMBER = '/v2/device_allocations/{server_id}'
_TAKEN_OVER: Errors = {
    exception.OtherAttempt: 'another caller has taken over, or nothing is '
    'being done with it'
}
_MOVING: Errors = {
    exception.ServerMoving: 'the server has bindings besides the active one'
}

_post = functools.partial(Operation, method='POST', service_only=True)

OPERATIONS = (
    _post(
        name='attach_device_context',
        path=_MEMBER + '/attach',
        summary='Begin to give a device context to a server that exists',
        description='The server holds it from now on. Nova is not asked '
        'about another one that holds it. The request can be repeated, also '
        'by another caller, who takes over then.',
        policies=(policies.ATTACH,),
        body=schemas.ATTACH,
        answers=(Answer(200, 'It is begun.', answers.ATTACHING),),
        errors={
            **_MOVING,
            exception.TooManyAccelerators: '',
            exception.TooManyAlternatives: '',
            exception.TooManyGroups: 'more than 64 device contexts',
            exception.ResourceClassNotAllowed: '',
            exception.LimitReached: 'the project would have too much',
            exception.DeviceContextNotFound: '',
            exception.DeviceContextAttached: 'the server has it',
            exception.DeviceContextDetaching: 'the server is losing it',
            exception.DeviceContextInUse: 'another server has it',
            exception.TagInUse: '',
            exception.LimitsUnknown: 'Keystone does not answer',
        },
    ),
    _post(
        name='keep_device_context',
        path=_MEMBER + '/attached',
        summary='Say that a server has a device context, or that it keeps it',
        description='It is attached, or its guest does not let go of it. '
        '``caller`` may be left out if it was being detached. The request can '
        'be repeated.',
        policies=(policies.ATTACHED,),
        body=schemas.ATTACHED,
        answers=(Answer(204, 'The server has it.'),),
        errors=_TAKEN_OVER,
    ),
    _post(
        name='detach_device_context',
        path=_MEMBER + '/detach',
        summary='Begin to take a device context from a server that exists',
        description='The server still holds it. The request can be repeated, '
        'also by another caller, who takes over then: also from one who '
        'attaches it.',
        policies=(policies.DETACH,),
        body=schemas.DETACH,
        answers=(Answer(200, 'It is begun.', answers.DETACHING),),
        errors={**_MOVING, exception.DeviceContextNotAttached: ''},
    ),
    _post(
        name='unplug_device_context',
        path=_MEMBER + '/unplug',
        summary='Unbind what no guest has any more of a device context',
        description='Of one that is being attached or detached. The request '
        'can be repeated.',
        policies=(policies.UNPLUG,),
        body=schemas.UNPLUG,
        answers=(
            Answer(200, 'What the server still has.', answers.UNPLUGGED),
        ),
        errors=_TAKEN_OVER,
    ),
    _post(
        name='release_device_context',
        path=_MEMBER + '/detached',
        summary='Release a device context of a server that exists',
        description='One that is being attached or detached, and has no ARQs: '
        'it is available, whatever its ``delete_on_termination`` says. The '
        'request can be repeated.',
        policies=(policies.DETACHED,),
        body=schemas.DETACHED,
        answers=(
            Answer(200, 'What the server still holds.', answers.DETACHED),
        ),
        errors={**_TAKEN_OVER, exception.StillBound: 'it has ARQs'},
    ),
)
