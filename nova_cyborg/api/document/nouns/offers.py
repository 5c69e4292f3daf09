# SPDX-License-Identifier: Apache-2.0

"""Operations that tell what can be asked for, and how much of it."""

from nova_cyborg import exception
from nova_cyborg.api.document.operations import Answer, Operation
from nova_cyborg.api.policies import device_context_limit as limit_policies
from nova_cyborg.api.policies import device_context_option as policies
from nova_cyborg.api.schemas import device_context_limit as schemas
from nova_cyborg.api.schemas.answers import (
    device_context_limit,
    device_context_option,
)

OPERATIONS = (
    Operation(
        name='list_device_context_options',
        method='GET',
        path='/v2/device_context_options',
        summary='List what device contexts can ask for',
        description='An item for each kind of devices of the cloud whose '
        'resource class is allowed.',
        policies=(policies.GET_ALL, policies.GET_NUMBERS),
        answers=(
            Answer(200, 'The kinds of devices.', device_context_option.LIST),
        ),
    ),
    Operation(
        name='list_device_context_limits',
        method='GET',
        path='/v2/device_context_limits',
        summary='List what a project may have, and has',
        description='An item for the device contexts; then one for each '
        'resource class that has a limit, or of which its servers hold '
        'something.',
        policies=(limit_policies.GET_ALL, limit_policies.GET_OTHERS),
        query=schemas.LIST,
        answers=(
            Answer(200, 'The limits, and use.', device_context_limit.LIST),
        ),
        errors={exception.LimitsUnknown: 'Keystone does not answer'},
    ),
)
