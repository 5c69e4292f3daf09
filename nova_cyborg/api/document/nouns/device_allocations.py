# SPDX-License-Identifier: Apache-2.0

"""Operations that Nova works with, by server."""

import functools

from nova_cyborg import exception
from nova_cyborg.api.document.operations import Answer, Errors, Operation
from nova_cyborg.api.policies import device_allocation as policies
from nova_cyborg.api.schemas import device_allocation as schemas
from nova_cyborg.api.schemas import explanation
from nova_cyborg.api.schemas.answers import device_allocation as answers
from nova_cyborg.api.schemas.answers import explanation as explained

_COLLECTION = '/v2/device_allocations'
_MEMBER = _COLLECTION + '/{server_id}'
_BOUNDS: Errors = {
    exception.DeviceContextRepeated: '',
    exception.TooManyAccelerators: '',
    exception.TooManyAlternatives: '',
    exception.ResourceClassNotAllowed: '',
    exception.LimitReached: 'the project would have too much',
    exception.DeviceContextNotFound: '',
    exception.TagInUse: 'two of them have one tag',
    exception.LimitsUnknown: 'Keystone does not answer',
}

_operation = functools.partial(Operation, service_only=True)
_post = functools.partial(_operation, method='POST')

OPERATIONS = (
    _post(
        name='check_device_contexts',
        path=_COLLECTION + '/check',
        summary='Show device contexts as a reservation would find them',
        description='Nothing is changed: so nova-api sees, before a server is '
        'made, whether they can be reserved for it. One with a ``server_id`` '
        'has a holder; Nova is not asked whether that server is gone.',
        policies=(policies.CHECK,),
        body=schemas.CHECK,
        answers=(Answer(200, 'The device contexts.', answers.CHECKED),),
        errors=_BOUNDS,
    ),
    _post(
        name='list_overdue_servers',
        path=_COLLECTION + '/overdue',
        summary='List servers of which something has been under way for long',
        description='Servers that hold device contexts, that Nova was not '
        'seen to have at rest since, and of which nothing was changed here '
        'for so long. One process at a time is told of any.',
        policies=(policies.OVERDUE,),
        body=schemas.OVERDUE,
        answers=(Answer(200, 'The servers.', answers.OVERDUE),),
    ),
    _operation(
        name='show_device_allocation',
        method='GET',
        path=_MEMBER,
        summary='Show what a server holds',
        policies=(policies.GET,),
        answers=(Answer(200, 'The allocation.', answers.SHOWN),),
    ),
    _operation(
        name='reserve_device_contexts',
        method='PUT',
        path=_MEMBER,
        summary='Reserve device contexts for a server, all or none',
        description='For a server that is about to be built. One whose holder '
        'is gone or was never built, as Nova says, is released first. The '
        'request can be repeated with the same ``caller``.',
        policies=(policies.RESERVE,),
        body=schemas.RESERVE,
        answers=(Answer(200, 'The allocation.', answers.AS_ASKED),),
        errors={
            **_BOUNDS,
            exception.DeviceContextInUse: '',
            exception.AllocationMismatch: 'the server holds other ones',
            exception.AlreadyBegun: 'another caller builds the server',
        },
    ),
    _operation(
        name='release_device_contexts',
        method='DELETE',
        path=_MEMBER,
        summary='Unbind the devices and release the device contexts',
        description='Those that live as long as their server are deleted if '
        'Nova says that the server is gone. The request can be repeated.',
        policies=(policies.RELEASE,),
        query=schemas.RELEASE,
        answers=(
            Answer(
                204,
                'The device contexts are released, or none were reserved.',
            ),
        ),
        errors={
            exception.AlreadyBegun: 'another caller has reserved the device '
            'contexts'
        },
    ),
    _post(
        name='begin_operation',
        path=_MEMBER + '/begin',
        summary='Begin to bring a server that exists to a host',
        description='Because it is unshelved, evacuated, or was not built on '
        'a first host. Requests of earlier attempts are refused from now on. '
        'A device context that is being attached is bound with the others, '
        'then. One that is being detached stays, and is released if it was '
        'unbound already. The request can be repeated with the same '
        '``caller``.',
        policies=(policies.BEGIN,),
        body=schemas.BEGIN,
        answers=(
            Answer(
                200,
                'The allocation, with the generation of the attempt.',
                answers.AS_ASKED,
            ),
        ),
        errors={
            exception.AlreadyBegun: 'another caller does the same operation'
        },
    ),
    _post(
        name='bind_devices',
        path=_MEMBER + '/bind',
        summary='Bind the device contexts of a server to devices of a node',
        description='Where a guest needs no more than the address of a slot, '
        'the ARQs are bound when the answer comes. Mediated devices, and '
        'devices that an image is written to, are bound in the background: '
        'the event ``accelerator-request-bound`` tells Nova how that ended, '
        'and the state of the device contexts shows it. With '
        '``device_context``, one is bound that its ``caller`` attaches: its '
        'ARQs join the active binding, and no event is sent. A request that '
        'is repeated is answered with the ARQs that were made before.',
        policies=(policies.BIND,),
        body={'oneOf': [schemas.BIND, schemas.BIND_ATTACHED]},
        answers=(Answer(202, 'It is begun.', answers.BEGUN),),
        errors={
            exception.ProviderMissing: '',
            exception.ResourceClassNotAllowed: '',
            exception.StaleGeneration: '',
            exception.StillBound: '',
            exception.DeviceTainted: '',
            exception.OtherAttempt: 'the caller does not attach it, or not '
            'any more',
            exception.ServerMoving: 'the active binding is on another node',
        },
    ),
    _post(
        name='activate_binding',
        path=_MEMBER + '/activate',
        summary='Have a server that is moved use the devices of its new node',
        description='The binding that it used is ``leaving`` then: the server '
        'may come back.',
        policies=(policies.ACTIVATE,),
        body=schemas.OF_MIGRATION,
        answers=(Answer(200, 'What was bound.', answers.ACTIVATED),),
        errors={
            exception.BindingNotFound: '',
            exception.OtherAttempt: 'the server has been moved on since',
        },
    ),
    _post(
        name='unbind_devices',
        path=_MEMBER + '/unbind',
        summary='Unbind the devices of a server; it keeps its device contexts',
        description='Of ``generation``, ``arqs`` and ``migration``, exactly '
        'one is given. The attempt is over: its requests that are still on '
        'their way are refused. If the server was to be moved, it uses the '
        'devices of its old host again.',
        policies=(policies.UNBIND,),
        body={'oneOf': [schemas.UNBIND, schemas.UNBIND_MIGRATION]},
        answers=(Answer(204, 'The devices are unbound, or none were bound.'),),
        errors={
            exception.StaleGeneration: '',
            exception.OtherAttempt: 'other ARQs were bound',
        },
    ),
    _post(
        name='settle_server',
        path=_MEMBER + '/settle',
        summary='Unbind what a server has left that stays where it is',
        description='If the server does not use what was bound for the '
        'migration, nothing is unbound.',
        policies=(policies.SETTLE,),
        body=schemas.OF_MIGRATION,
        answers=(Answer(204, 'The devices are unbound, or there were none.'),),
    ),
    _post(
        name='explain_server',
        path=_MEMBER + '/explain',
        summary='Explain why Nova has found no host for a server',
        description='That is recorded as the fault of its device contexts. '
        'The request can be repeated.',
        policies=(policies.EXPLAIN,),
        body=explanation.OF_SERVER,
        answers=(Answer(200, 'Why there is none.', explained.OF_SERVER),),
        errors={
            exception.PlacementFailed: 'Placement does not answer, or '
            'refuses; nothing was recorded'
        },
    ),
)
