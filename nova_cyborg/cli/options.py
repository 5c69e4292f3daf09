# SPDX-License-Identifier: Apache-2.0

"""The options of the commands, shared by ``openstack`` and ``cyborg``."""

import argparse
import typing as ty

from nova_cyborg import language, model
from nova_cyborg.cli import errors
from nova_cyborg.cli.listing import filters, tags

# The largest limit that the API takes.
_MOST = 999999999
_LIST_EXAMPLES = """\
Examples:

The device contexts that a server can be booted with, and a server's own:

  %(prog)s --status available
  %(prog)s --long --server <server>
"""
_CREATE_EXAMPLES = """\
Examples:

One FPGA with a gzip function and a feature, and data for its driver:

  %(prog)s \\
    --resources FPGA_GZIP:1 --requires SOME_FOO_CAPABILITY \\
    --config-data key1:val1

Two devices, each a group of its own, so that they may be on two cards:

  %(prog)s \\
    --resources FPGA:1 --group 'resources=VGPU:1;requires=HW_GPU_API_VULKAN'

An FPGA, or else a VGPU, or else a PGPU: the first that is available:

  %(prog)s \\
    --resources FPGA:1 --or resources=VGPU:1 --or resources=PGPU:1

As the administrator's profile "gzip" says; four of them, that are found by
their tags:

  %(prog)s --device-profile gzip
  %(prog)s --device-profile gzip --count 4 --tags prod,team-a

Names that are not standard resource classes or traits become custom ones:
FPGA_GZIP is CUSTOM_FPGA_GZIP.
"""


class _Or(argparse.Action):
    """Keeps what else would do, with how many ``--group`` were before it."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: ty.Any,
        _option_string: str | None = None,
    ) -> None:
        """Keep one more."""
        before = getattr(namespace, self.dest)
        item = (len(namespace.groups), values)
        setattr(namespace, self.dest, [*before, item])


def add_create_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a new device context is.

    Examples are put before what the parser has as its epilog.

    :param parser: the command's parser.
    """
    add_group_options(parser)
    add_plain_options(parser)
    tags.add_create_options(parser)
    parser.add_argument(
        '--count',
        metavar='<number>',
        type=at_once,
        default=1,
        help=f'Create this many at once, at most {language.MAX_AT_ONCE}, all '
        'or none; a name gets numbers, as in gzip-1 and gzip-2',
    )
    add_examples(parser, _CREATE_EXAMPLES)


def add_group_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a device context asks for.

    :param parser: the command's parser.
    """
    parser.add_argument(
        '--resources',
        metavar='<class>:<amount>[,...]',
        action='append',
        default=[],
        help='Resource classes and their amounts, all of one device '
        '(repeat option to add more)',
    )
    parser.add_argument(
        '--requires',
        metavar='<trait>[,...]',
        action='append',
        default=[],
        help='Traits the device must have (repeat option to add more)',
    )
    parser.add_argument(
        '--forbids',
        metavar='<trait>[,...]',
        action='append',
        default=[],
        help='Traits the device must not have (repeat option to add more)',
    )
    parser.add_argument(
        '--config-data',
        metavar='<key>:<value>',
        action='append',
        default=[],
        help="Data for the device's driver. One pair an option: all that "
        'follows the first colon is the value (repeat option to add more)',
    )
    parser.add_argument(
        '--tolerates',
        metavar='<taint>[,...]',
        action='append',
        default=[],
        help='Keys of taints the device may have, as the administrators name '
        'them (repeat option to add more)',
    )
    parser.add_argument(
        '--group',
        metavar='<group>',
        dest='groups',
        action='append',
        default=[],
        help='One more group, for another device: '
        '"resources=<class>:<amount>[,...];requires=<trait>[,...];'
        'forbids=<trait>[,...];tolerates=<taint>[,...];'
        'config=<key>:<value>", where only resources is needed, and config '
        'may be repeated (repeat option to add more groups)',
    )
    parser.add_argument(
        '--or',
        metavar='<group>',
        dest='alternatives',
        action=_Or,
        default=[],
        help='What else would do in the place of the group before it, written '
        'as for --group: the --group before it, else that of --resources. The '
        'first that is available is chosen (repeat option to add more, in '
        'order)',
    )
    parser.add_argument(
        '--device-profile',
        '--device-profile-id',
        metavar='<device-profile>',
        help='Ask for what this device profile says (name or UUID), instead '
        'of the options above',
    )


def add_examples(parser: argparse.ArgumentParser, examples: str) -> None:
    """Put examples after the help of a command.

    What the parser has as its epilog comes after them.

    :param parser: the command's parser.
    :param examples: the text; ``%(prog)s`` is the command.
    """
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f'{examples}\n{parser.epilog or ""}'


def add_plain_options(
    parser: argparse.ArgumentParser, can_remove: bool = False
) -> None:
    """Add the options for what can be changed later, too.

    :param parser: the command's parser.
    :param can_remove: whether there may be something to be removed.
    """
    parser.add_argument(
        '--name',
        metavar='<name>',
        help='Name of the device context ("" for none)',
    )
    parser.add_argument(
        '--description',
        metavar='<description>',
        help='Description of the device context ("" for none)',
    )
    lifetime = parser.add_mutually_exclusive_group()
    lifetime.add_argument(
        '--delete-on-termination',
        action='store_true',
        default=None,
        help='Delete the device context together with its server (a new '
        "one's default)",
    )
    lifetime.add_argument(
        '--keep-on-termination',
        dest='delete_on_termination',
        action='store_false',
        default=None,
        help='Keep the device context when its server is deleted, for '
        'another server',
    )
    parser.add_argument(
        '--live-migration',
        choices=model.LiveMigration.ALL,
        help='What is done with its devices when its server is migrated while '
        'it runs: "refuse" to migrate it (a new one\'s default), or "detach" '
        'them, so that the guest sees them unplugged, and others plugged in '
        'on the new host; "native": they move with their state, if they can',
    )
    tag = parser.add_mutually_exclusive_group()
    tag.add_argument(
        '--tag',
        metavar='<tag>',
        help='Tag by which a guest finds the device in its metadata (1 to 60 '
        'characters, no slash and no comma)',
    )
    if can_remove:
        tag.add_argument(
            '--no-tag', action='store_true', help='Remove the tag'
        )


def add_unset_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for what can be removed.

    :param parser: the command's parser.
    """
    for field in ('name', 'description', 'tag'):
        parser.add_argument(
            f'--{field}',
            action='store_true',
            help=f'Remove the {field} of the device context',
        )


def add_list_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose and sort what is listed.

    :param parser: the command's parser.
    """
    parser.add_argument(
        '--long', action='store_true', help='List additional fields'
    )
    parser.add_argument(
        '--status',
        choices=model.Status.ALL,
        help='List only device contexts in this status',
    )
    parser.add_argument(
        '--name',
        metavar='<name>',
        help='List only device contexts with this name',
    )
    parser.add_argument(
        '--server',
        metavar='<server>',
        help='List only the device contexts of this server (name or ID)',
    )
    parser.add_argument(
        '--tag',
        metavar='<tag>',
        help='List only device contexts with this tag',
    )
    parser.add_argument(
        '--all-projects',
        action='store_true',
        help='List the device contexts of all projects (admin only)',
    )
    parser.add_argument(
        '--limit',
        metavar='<number>',
        type=positive,
        help='List this many at most; without it, all are listed',
    )
    parser.add_argument(
        '--marker',
        metavar='<device-context>',
        help='List what follows this device context (name or ID)',
    )
    parser.add_argument(
        '--sort',
        metavar='<key>[:<direction>][,...]',
        help='Sort by created_at (default), updated_at, name or uuid, "asc" '
        '(default) or "desc"; by several, the first one first',
    )
    filters.add_options(parser)
    add_examples(parser, _LIST_EXAMPLES)


def positive(text: str) -> int:
    """Read a number of the command line.

    :param text: what the user typed.
    :returns: the number, one or more.
    :raises ArgumentTypeError: if it is none.
    """
    return _number(text, _MOST)


def at_once(text: str) -> int:
    """Read how many device contexts one request is to make.

    :param text: what the user typed.
    :returns: the number, one or more.
    :raises ArgumentTypeError: if it is none, or larger than the API takes.
    """
    # Not left to the API: what each is to be is written down before.
    return _number(text, language.MAX_AT_ONCE)


def _number(text: str, most: int) -> int:
    # As the API's schema: a number of at most nine digits.
    if text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST)):
        number = int(text)
        if 0 < number <= most:
            return number
    raise argparse.ArgumentTypeError(
        f'"{errors.printable(text)}" is not a whole number from 1 to {most}'
    )
