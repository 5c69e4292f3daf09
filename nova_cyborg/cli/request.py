# SPDX-License-Identifier: Apache-2.0

"""From the options of a command to what the API takes: pure functions."""

import argparse
import typing as ty

from osc_lib import exceptions as osc_exc

from nova_cyborg.cli import groups
from nova_cyborg.cli.listing import filters


def create_body(args: argparse.Namespace) -> dict[str, ty.Any]:
    """Make the body of a request for a new device context.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_create_options`.
    :returns: the body.
    :raises CommandError: naming the option that is wrong.
    """
    body = changes(args)
    given = groups.sources(args)
    if args.device_profile is None and not given:
        raise osc_exc.CommandError(
            'Say what the device must have: --resources CLASS:AMOUNT (and '
            '--requires TRAIT), or --device-profile.'
        )
    if args.device_profile is None:
        body['groups'] = groups.parse(given)
    elif given:
        raise osc_exc.CommandError(
            '--device-profile: cannot be used together with --resources, '
            '--requires, --forbids, --config-data, --tolerates or --group; '
            'the profile says all that.'
        )
    else:
        body['device_profile'] = args.device_profile
    return body


def changes(args: argparse.Namespace) -> dict[str, ty.Any]:
    """Collect the plain fields that were given.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_plain_options`.
    :returns: the values by field.
    """
    fields = (
        'name',
        'description',
        'delete_on_termination',
        'live_migration',
        'tag',
    )
    values = ((field, getattr(args, field)) for field in fields)
    given = {field: value for field, value in values if value is not None}
    # Only what exists can lose its tag.
    return given | {'tag': None} if getattr(args, 'no_tag', False) else given


def list_query(args: argparse.Namespace) -> dict[str, ty.Any]:
    """Make the query of a list of device contexts.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_list_options`.
    :returns: the parameters.
    :raises CommandError: if the sort direction is unknown.
    """
    query: dict[str, ty.Any] = {
        'status': args.status,
        'name': args.name,
        'server_id': args.server,
        'all_projects': 'true' if args.all_projects else None,
        'limit': args.limit,
        'marker': args.marker,
        **filters.query(args),
    }
    if args.sort and ',' in args.sort:
        query['sort'] = args.sort
    elif args.sort:
        key, _colon, direction = args.sort.partition(':')
        if direction not in ('', 'asc', 'desc'):
            raise osc_exc.CommandError(
                f'--sort: the direction "{direction}" is neither asc nor desc.'
            )
        query |= {'sort_key': key, 'sort_dir': direction or None}
    return {name: value for name, value in query.items() if value is not None}
