# SPDX-License-Identifier: Apache-2.0

"""The options that narrow a list, and the parameters that they become."""

import argparse

_TIME = 'such as 2026-11-22T11:06:05Z'
_TAGS = '<tag>[,<tag>,...]'

# By option: parameter of the API, what the option takes, and its help.
_OPTIONS = {
    '--resource-class': (
        'resource_class',
        '<class>',
        'List only device contexts that ask for this resource class',
    ),
    '--trait': (
        'trait',
        '<trait>',
        'List only device contexts that require this trait',
    ),
    '--device-profile': (
        'device_profile',
        '<device-profile>',
        'List only device contexts that were made from this device profile '
        '(name or UUID)',
    ),
    '--host': (
        'host',
        '<host>',
        'List only device contexts with devices on this host',
    ),
    '--created-after': (
        'created_after',
        '<time>',
        f'List only what was created at this time ({_TIME}) or later',
    ),
    '--created-before': (
        'created_before',
        '<time>',
        'List only what was created before this time',
    ),
    '--updated-after': (
        'updated_after',
        '<time>',
        'List only what was updated last at this time or later',
    ),
    '--updated-before': (
        'updated_before',
        '<time>',
        'List only what was updated last before this time',
    ),
    '--changes-since': (
        'changes-since',
        '<time>',
        'List only what has changed at this time or later, its status and '
        'devices included',
    ),
    '--tags': (
        'tags',
        _TAGS,
        'List only device contexts that have all of these tags (not the tag '
        'of their device)',
    ),
    '--any-tags': (
        'tags-any',
        _TAGS,
        'List only device contexts that have one of these tags or more',
    ),
    '--not-tags': (
        'not-tags',
        _TAGS,
        'List only device contexts that do not have all of these tags',
    ),
    '--not-any-tags': (
        'not-tags-any',
        _TAGS,
        'List only device contexts that have none of these tags',
    ),
}

#: The options by parameter of the API, for who says what it refuses.
TYPED = {
    parameter: option
    for option, (parameter, _metavar, _text) in _OPTIONS.items()
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options.

    :param parser: the command's parser.
    """
    for option, (_parameter, metavar, text) in _OPTIONS.items():
        parser.add_argument(option, metavar=metavar, help=text)


def query(args: argparse.Namespace) -> dict[str, str | None]:
    """Make the parameters of the query.

    :param args: the options of :func:`add_options`.
    :returns: the values by parameter; None if the option is not given.
    """
    return {
        parameter: getattr(args, option.strip('-').replace('-', '_'))
        for parameter, option in TYPED.items()
    }
