# SPDX-License-Identifier: Apache-2.0

"""From the options of a command to what the API takes: pure functions."""

import argparse
import typing as ty

from nova_cyborg.cli import errors, groups
from nova_cyborg.cli.listing import filters, tags


def create_body(args: argparse.Namespace) -> dict[str, ty.Any]:
    """Make the body of a request for a new device context.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_create_options`.
    :returns: the body.
    :raises CommandError: naming the option that is wrong.
    """
    found = changes(args) | asked(args)
    given = tags.given(args)
    return found | {'tags': given} if given else found


def create_bodies(args: argparse.Namespace) -> list[dict[str, ty.Any]]:
    """Make what is said of each of several new device contexts.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_create_options`.
    :returns: as many bodies as there are to be device contexts.
    :raises CommandError: naming the option that is wrong.
    """
    body = create_body(args)
    if args.count == 1:
        return [body]
    if body.get('name') is None:
        return [body] * args.count
    return [
        body | {'name': f'{body["name"]}-{number}'}
        for number in range(1, args.count + 1)
    ]


def asked(args: argparse.Namespace) -> dict[str, ty.Any]:
    """Say what a device context is to ask for.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_group_options`.
    :returns: a part of a body.
    :raises CommandError: naming the option that is wrong.
    """
    given = groups.sources(args)
    if args.device_profile is None and not given:
        raise errors.CommandError(
            'Say what the device must have: --resources CLASS:AMOUNT (and '
            '--requires TRAIT), or --device-profile.'
        )
    if args.device_profile is None:
        return {'groups': groups.parse(given)}
    if given:
        raise errors.CommandError(
            '--device-profile: cannot be used together with --resources, '
            '--requires, --forbids, --config-data, --tolerates, --group or '
            '--or; the profile says all that.'
        )
    return {'device_profile': args.device_profile}


def asks(args: argparse.Namespace) -> bool:
    """Tell whether it is said what a device context is to ask for.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_group_options`.
    :returns: whether it is.
    """
    return args.device_profile is not None or bool(groups.sources(args))


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
    given = {
        # No text at all is how a shell says that there is to be none.
        field: None if value == '' else value
        for field, value in values
        if value is not None
    }
    # Only what exists can lose its tag.
    return given | {'tag': None} if getattr(args, 'no_tag', False) else given


def removals(args: argparse.Namespace) -> dict[str, ty.Any]:
    """Collect the plain fields that are to be empty.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_unset_options`.
    :returns: None by field.
    """
    fields = ('name', 'description', 'tag')
    return {field: None for field in fields if getattr(args, field)}


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
        'tag': args.tag,
        'all_projects': 'true' if args.all_projects else None,
        'limit': args.limit,
        **filters.query(args),
    }
    if args.sort and ',' in args.sort:
        query['sort'] = args.sort
    elif args.sort:
        key, _colon, direction = args.sort.partition(':')
        if direction not in ('', 'asc', 'desc'):
            raise errors.CommandError(
                f'--sort: the direction "{direction}" is neither asc nor desc.'
            )
        query |= {'sort_key': key, 'sort_dir': direction or None}
    return {name: value for name, value in query.items() if value is not None}
