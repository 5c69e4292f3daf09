# SPDX-License-Identifier: Apache-2.0

"""What goes wrong and is logged is explained to operators."""

import ast
import pathlib
import re

import pytest

import nova_cyborg
from nova_cyborg.api import routes

PACKAGE = pathlib.Path(nova_cyborg.__file__).parent
DOC = PACKAGE.parent / 'doc' / 'source'
ADMIN = DOC / 'admin'
LEVELS = ('warning', 'error', 'exception', 'critical')
ARGUMENT = re.compile(r'%[ds]')


def formats_of(path):
    """Return what a module logs when something is wrong."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == 'LOG'
        and node.func.attr in LEVELS
        # An error of ours that is logged as it is has a section of its own.
        and isinstance(node.args[0], ast.Constant)
    ]


def looked_for(sentence):
    """Return what is the same each time, of the part that is looked for."""
    # What follows the first sentence is advice.
    return max(ARGUMENT.split(sentence.partition('. ')[0]), key=len).strip()


def logged():
    return sorted(
        {
            looked_for(sentence)
            for path in PACKAGE.rglob('*.py')
            if 'tempest' not in path.parts
            for sentence in formats_of(path)
            if re.search('[a-z]', ARGUMENT.sub('', sentence))
        }
    )


@pytest.fixture(scope='module')
def documented():
    pages = ('operate.rst', 'troubleshoot.rst')
    text = ' '.join((ADMIN / name).read_text() for name in pages)
    return ' '.join(text.split())


def test_there_are_some():
    assert 'A request for device contexts failed' in logged()


@pytest.mark.parametrize('sentence', logged())
def test_a_line_of_a_log_is_documented(sentence, documented):
    assert sentence in documented


def test_the_page_of_errors_says_of_which_paths_they_are():
    page = (DOC / 'reference' / 'errors.rst').read_text()

    paths = {f'``/v2/{parts[0]}``' for parts in routes.routes()}
    assert not {path for path in paths if path not in page}
