# SPDX-License-Identifier: Apache-2.0

"""The JSON schema of what device contexts can ask for."""

from nova_cyborg.api.schemas import answers

_NUMBERS = ('units_total', 'units_used', 'units_free')
_UNITS = {
    'available': {
        'enum': ['none', 'some', 'many'],
        'description': 'How many units are free: ``none``, ``some``, or '
        '``many``, which are 10 or more. What servers have is not free, nor '
        'is what is in maintenance, tainted, missing or not cleaned yet.',
    },
    'units_total': answers.number(
        'How many units there are. Only by the second policy.'
    ),
    'units_used': answers.number(
        'How many of them servers have. Only by the second policy.'
    ),
    'units_free': answers.number(
        'How many are free. Only by the second policy.'
    ),
}
_ZONE = answers.answer(
    {
        'name': answers.text(
            "The zone, Nova's default one, too; null for hosts of which Nova "
            'does not say.',
            null=True,
        ),
        **_UNITS,
    },
    'AvailabilityZone',
    'What there is in an availability zone.',
    optional=_NUMBERS,
)
_OPTION = answers.answer(
    {
        'resource_class': answers.text(
            'The class that a device context asks for.'
        ),
        'traits': answers.items(
            {'type': 'string'},
            'Traits that some devices of the kind have; not each has all.',
        ),
        'vendor': answers.text(
            'Who makes them, as in ``vendor`` of ``GET /v2/devices``.',
            null=True,
        ),
        'product': answers.text(
            'What they are, as in ``model`` of ``GET /v2/devices``.', null=True
        ),
        'type': answers.text(
            'Their type, as in ``type`` of ``GET /v2/devices``.', null=True
        ),
        **_UNITS,
        'availability_zones': {
            'type': ['array', 'null'],
            'items': _ZONE,
            'description': 'The same by availability zone, as it was at most '
            'a minute ago; null, for a minute, if Nova does not say where '
            'hosts are.',
        },
    },
    'DeviceContextOption',
    'A kind of devices.',
    optional=_NUMBERS,
)

LIST = answers.answer(
    {'device_context_options': answers.items(_OPTION, 'The kinds of devices.')}
)
