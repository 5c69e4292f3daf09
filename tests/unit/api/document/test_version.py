# SPDX-License-Identifier: Apache-2.0

"""The version of the API is another one when there is something else in it."""

import copy
import hashlib
import json

from nova_cyborg.api.document import building

#: By each version, what its document comes to: paths, parameters, headers,
#: fields, statuses and codes, without the words that explain them.
KEPT = {'1.0': '555fd75ded17b679'}
_WORDS = ('description', 'summary', 'title')


def without_words(item):
    """Leave out what people read; a field may have such a name, too."""
    if isinstance(item, dict):
        return {
            name: without_words(value)
            for name, value in item.items()
            if not (name in _WORDS and isinstance(value, str))
        }
    return [*map(without_words, item)] if isinstance(item, list) else item


def digest(document):
    said = {name: document[name] for name in ('paths', 'components')}
    text = json.dumps(without_words(said), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_it_rises_with_what_is_in_the_document():
    found = digest(building.document())

    assert KEPT.get(building.VERSION) == found, (
        'something was added to the API, or changed. Unless version '
        f'{building.VERSION} is not released yet, raise building.VERSION as '
        f'is said there; and keep {found!r} here.'
    )


def test_each_version_is_of_another_document():
    assert len(set(KEPT.values())) == len(KEPT)


def test_words_do_not_count():
    # Parts of it are those that requests are checked with.
    document = copy.deepcopy(building.document())
    before = digest(document)
    schemas = document['components']['schemas']
    _name, schema = next(
        (name, each) for name, each in schemas.items() if 'properties' in each
    )
    schema['description'] = 'in other words'
    assert digest(document) == before

    schema['properties']['description'] = {'type': 'integer'}
    assert digest(document) != before
