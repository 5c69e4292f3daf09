# SPDX-License-Identifier: Apache-2.0

"""From the options of a command to request groups: pure functions.

What is wrong with an option is said in the words of the option, before
anything is sent.
"""

import argparse
import collections.abc
import re
import typing as ty

from nova_cyborg import exception, language, model
from nova_cyborg.cli import errors

#: The words of options by the field of a group that they fill.
_WORDS = {
    'resources': 'resources',
    'required': 'requires',
    'forbidden': 'forbids',
    'config': 'config-data',
    'tolerated': 'tolerates',
}
_GROUP_WORDS = {word: word for word in _WORDS.values()} | {
    'config': 'config-data'
}
_WHOLE_NUMBER = re.compile(r'-?[0-9]{1,20}')
_GROUP_FIELD = re.compile(
    r'groups\[(\d+)\](?:\.first_available\[(\d+)\])?\.(\w+)\.?(.*)'
)

# The texts of options by word.
_Texts = collections.abc.Mapping[str, collections.abc.Sequence[str]]

#: What an alternative of a group is made of: what errors call it, and the
#: texts.
Source = tuple[str, _Texts]


def sources(args: argparse.Namespace) -> list[list[Source]]:
    """Collect what was given for each group.

    :param args: the options of
        :func:`nova_cyborg.cli.options.add_create_options`.
    :returns: what each alternative of each group is made of; nothing if no
        group is asked for.
    :raises CommandError: if a ``--group`` or an ``--or`` cannot be read.
    """
    first = {
        word: getattr(args, word.replace('-', '_')) for word in _WORDS.values()
    }
    found: dict[int, list[Source]] = {}
    if any(first.values()):
        found[0] = [('--', first)]
    for number, text in enumerate(args.groups, 1):
        found[number] = [_split_group(f'--group "{text}": ', text)]
    for number, text in args.alternatives:
        if number not in found:
            raise errors.CommandError(
                f'--or "{text}": no group is before it that it could take the '
                'place of. Put it after a --group, or use --resources, too.'
            )
        found[number].append(_split_group(f'--or "{text}": ', text))
    return [found[number] for number in sorted(found)]


def parse(
    given: collections.abc.Sequence[collections.abc.Sequence[Source]],
) -> list[dict[str, ty.Any]]:
    """Read groups.

    :param given: what :func:`sources` collected.
    :returns: the groups in the form of the API, normalised.
    :raises CommandError: naming the option that is wrong.
    """
    items = [
        _raw_choice([_raw_group(where, texts) for where, texts in group])
        for group in given
    ]
    try:
        return [_sent(group) for group in language.parse_groups(items)]
    except exception.InvalidRequest as error:
        labels = [[where for where, _texts in group] for group in given]
        raise errors.CommandError(_in_options(error, labels)) from error


def _raw_choice(items: list[dict[str, ty.Any]]) -> dict[str, ty.Any]:
    return items[0] if len(items) == 1 else {'first_available': items}


def _sent(group: model.Choice) -> dict[str, ty.Any]:
    # An API before there were taints refuses the field.
    return _raw_choice(
        [
            {
                field: value
                for field, value in each.as_dict().items()
                if value or field != 'tolerated'
            }
            for each in group.alternatives
        ]
    )


def _split_group(where: str, text: str) -> Source:
    texts: dict[str, list[str]] = {word: [] for word in _WORDS.values()}
    for part in filter(str.strip, text.split(';')):
        name, equals, value = part.partition('=')
        word = _GROUP_WORDS.get(name.strip())
        if not equals or word is None:
            raise errors.CommandError(
                f'{where}"{part.strip()}" is none of '
                'resources=CLASS:AMOUNT, requires=TRAIT, forbids=TRAIT, '
                'tolerates=TAINT and config=KEY:VALUE.'
            )
        texts[word].append(value.strip())
    return where, texts


def _raw_group(where: str, texts: _Texts) -> dict[str, ty.Any]:
    return {
        'resources': _resources(texts['resources'], f'{where}resources'),
        'required': _split_commas(texts['requires']),
        'forbidden': _split_commas(texts['forbids']),
        'config': _config(texts['config-data'], f'{where}config-data'),
        'tolerated': _split_commas(texts['tolerates']),
    }


def _split_commas(texts: collections.abc.Iterable[str]) -> list[str]:
    return [item.strip() for text in texts for item in text.split(',')]


def _resources(
    texts: collections.abc.Iterable[str], label: str
) -> dict[str, int]:
    resources: dict[str, int] = {}
    for item in _split_commas(texts):
        name, colon, amount = item.rpartition(':')
        if not name:
            missing = 'resource class' if colon else 'amount'
            raise errors.CommandError(
                f'{label}: "{item}" has no {missing}; write CLASS:AMOUNT, as '
                'in FPGA:1.'
            )
        if not _WHOLE_NUMBER.fullmatch(amount):
            raise errors.CommandError(
                f'{label}: "{amount}", the amount of {name}, is not a whole '
                f'number from 1 to {model.MAX_AMOUNT}.'
            )
        if name in resources:
            raise errors.CommandError(f'{label}: {name} is given twice.')
        resources[name] = int(amount)
    return resources


def _config(
    texts: collections.abc.Iterable[str], label: str
) -> dict[str, str]:
    config: dict[str, str] = {}
    for text in texts:
        key, colon, value = text.partition(':')
        if not colon:
            raise errors.CommandError(
                f'{label}: "{text}" is not of the form KEY:VALUE.'
            )
        if key in config:
            raise errors.CommandError(f'{label}: {key} is given twice.')
        config[key] = value
    return config


def _in_options(
    error: exception.InvalidRequest,
    labels: collections.abc.Sequence[collections.abc.Sequence[str]],
) -> str:
    # The model names "groups[0].resources.FPGA", the user typed --resources.
    reason = str(error.kwargs['reason'])
    match = _GROUP_FIELD.fullmatch(str(error.kwargs['field']))
    if not match:
        return f'--group: {reason}'
    number, alternative, field, detail = match.groups()
    if field not in _WORDS:
        # It is the list itself.
        return f'--or: {reason}'
    label = labels[int(number)][int(alternative or 0)] + _WORDS[field]
    return ': '.join(filter(None, (label, detail, reason)))
