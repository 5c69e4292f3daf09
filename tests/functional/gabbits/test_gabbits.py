# SPDX-License-Identifier: Apache-2.0

"""Files of steps: each a request with its intent, and what is answered.

Those in ``nouns/`` have the way of a thing; those in ``personas/`` have one
who asks for everything.
"""

from tests.functional.gabbits import world as world_lib  # isort: skip - first

import pathlib
import re
import unittest

import pytest
import yaml
from gabbi import handlers, suitemaker

from nova_cyborg.api import policies

FOLDER = pathlib.Path(__file__).parent
FILES = sorted(FOLDER.glob('*/*.yaml'))
PERSONAS = [path for path in FILES if path.parent.name == 'personas']
# What stands in a path for something that is known when it is called.
_VARIABLE = re.compile(r"""(\$HISTORY\['.*?'\]\.)?\$[A-Z]+\['.*?'\]""")
_PLACE = re.compile(r'\{.*?\}')


def name_of(path):
    return f'{path.parent.name}/{path.stem}'


@pytest.fixture(params=[False, True], ids=['legacy defaults', 'new defaults'])
def world(request, monkeypatch):
    """A Cyborg, with ``[oslo_policy] enforce_new_defaults`` or without."""
    with world_lib.World(new_defaults=request.param) as fixture:
        for name, value in fixture.variables.items():
            monkeypatch.setenv(name, value)
        yield fixture


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_steps(world, path):
    result = unittest.TestResult()

    _suite(path, world.deployed).run(result)

    told = [
        # What gabbi calls to find it out says nothing of it.
        f'{step.shortDescription()}\n{text[text.find("AssertionError") :]}'
        for step, text in [*result.failures, *result.errors]
    ]
    assert not told, '\n\n'.join(told)
    assert result.testsRun == len(_read(path)['tests'])
    assert not result.skipped


def _read(path):
    return yaml.safe_load(path.read_text())


def _suite(path, application):
    return suitemaker.test_suite_from_dict(
        unittest.TestLoader(),
        path.stem,
        _read(path),
        str(path.parent),
        host='cyborg.test',
        port=80,
        fixture_module=None,
        intercept=lambda: application,
        handlers=[handler() for handler in handlers.RESPONSE_HANDLERS],
    )


@pytest.mark.parametrize('path', PERSONAS, ids=name_of)
def test_each_persona_asks_for_all_that_policies_are_about(path):
    asked = set()
    for step in _read(path)['tests']:
        (method,) = [name for name in step if name.isupper()]
        asked.add((method, _VARIABLE.sub('x', step[method])))

    missing = [
        (rule.name, operation)
        for rule in policies.list_policies()
        for operation in rule.operations
        if not any(_is(operation, *each) for each in asked)
    ]

    assert not missing


def _is(operation, method, path):
    known, _mark, query = operation['path'].partition('?')
    pattern = _PLACE.sub('[^/?]+', known)
    asked, _mark, asked_query = path.partition('?')
    return (
        method == operation['method']
        and re.fullmatch(pattern, asked) is not None
        and query in asked_query
    )
