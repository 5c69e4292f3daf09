# SPDX-License-Identifier: Apache-2.0

"""The JSON schema of what a project may have, and has."""

from nova_cyborg.api.schemas import answers

_LIMIT = answers.answer(
    {
        'resource_name': answers.text(
            '``device_contexts``; or ``class:`` with the name of a resource '
            'class, as ``class:FPGA``. Keystone has the limit by this name.'
        ),
        'limit': answers.number(
            'The most that the project may have; -1 for any number. Of device '
            'contexts, the smaller one of the limit in Keystone and '
            '``max_contexts_per_project``. If limits are not enforced, only '
            'the latter.',
            minimum=-1,
        ),
        'used': answers.number(
            'How many device contexts the project has; how many units of the '
            'class the device contexts ask for that its servers hold.'
        ),
    },
    'DeviceContextLimit',
    'What a project may have of something, and has.',
)

LIST = answers.answer(
    {'device_context_limits': answers.items(_LIMIT, 'What is limited.')}
)
