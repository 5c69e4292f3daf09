# SPDX-License-Identifier: Apache-2.0

"""The tags that device contexts are found by, as options of commands.

Not the tag by which a guest finds its device.
"""

import argparse

from nova_cyborg.cli import errors, http

_METAVAR = '<tag>[,...]'


def add_create_options(parser: argparse.ArgumentParser) -> None:
    """Add the option for the tags of what is new.

    :param parser: the command's parser.
    """
    _add(parser, '--tags', 'Tags that it is found by in lists')


def add_set_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for more tags, or others.

    :param parser: the command's parser.
    """
    _add(parser, '--tags', 'Tags to add that it is found by in lists')
    parser.add_argument(
        '--no-tags',
        action='store_true',
        help='Remove all tags that it is found by; with --tags, it has those '
        'in their place',
    )


def add_unset_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for tags that are to be removed.

    :param parser: the command's parser.
    """
    _add(parser, '--tags', 'Tags to remove that it is found by in lists')
    parser.add_argument(
        '--all-tags',
        action='store_true',
        help='Remove all tags that it is found by',
    )


def given(args: argparse.Namespace) -> list[str]:
    """Read the tags.

    :param args: the options of one of the functions above.
    :returns: the tags.
    :raises CommandError: if nothing is at the side of a comma.
    """
    found = [each.strip() for text in args.tags for each in text.split(',')]
    if not all(found):
        raise errors.CommandError('--tags: there is nothing beside a comma.')
    return found


def are_changed(args: argparse.Namespace) -> bool:
    """Tell whether the options of ``set`` say something of tags.

    :param args: the options of :func:`add_set_options`.
    :returns: whether they do.
    :raises CommandError: as :func:`given` does, before anything is done.
    """
    return bool(given(args)) or args.no_tags


def are_removed(args: argparse.Namespace) -> bool:
    """Tell whether the options of ``unset`` say something of tags.

    :param args: the options of :func:`add_unset_options`.
    :returns: whether they do.
    :raises CommandError: as :func:`given` does, before anything is done.
    """
    return bool(given(args)) or args.all_tags


def change(
    contexts: http.DeviceContexts, context_id: str, args: argparse.Namespace
) -> None:
    """Give a device context tags, as the options of ``set`` say.

    :param contexts: calls about device contexts.
    :param context_id: its UUID, which a new name does not change.
    :param args: the options of :func:`add_set_options`.
    :raises CommandError: if the service refuses or does not answer.
    """
    if args.no_tags:
        contexts.set_tags(context_id, given(args))
        return
    # One by one: nobody else's are taken away.
    for tag in given(args):
        contexts.add_tag(context_id, tag)


def remove(
    contexts: http.DeviceContexts, context_id: str, args: argparse.Namespace
) -> None:
    """Take tags from a device context, as the options of ``unset`` say.

    :param contexts: calls about device contexts.
    :param context_id: its UUID, which no name at all does not change.
    :param args: the options of :func:`add_unset_options`.
    :raises CommandError: if it has not one of them, or the service refuses
        or does not answer.
    """
    if args.all_tags:
        contexts.set_tags(context_id, [])
        return
    for tag in given(args):
        contexts.remove_tag(context_id, tag)


def _add(parser: argparse.ArgumentParser, option: str, text: str) -> None:
    parser.add_argument(
        option,
        metavar=_METAVAR,
        action='append',
        default=[],
        help=f'{text} (repeat option to say more)',
    )
