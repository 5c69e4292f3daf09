# SPDX-License-Identifier: Apache-2.0

"""Imports run one way; read from the sources, so that nothing is missed."""

import ast
import collections.abc
import dataclasses
import pathlib

import pytest

import nova_cyborg

ROOT = pathlib.Path(nova_cyborg.__file__).parent

# What each part may import of the others. The first ones are the ground.
GROUND = {'exception', 'language', 'model', 'names'}
ALLOWED = {
    'exception': set(),
    'conf': set(),
    'model': set(),
    'names': {'exception'},
    'language': {'exception', 'model', 'names'},
    'cyborg_client': {'exception', 'model'},
    'contract': {'exception'},
    'db': {'exception', 'model'},
    'cli': {'exception', 'language', 'model'},
    'attach': {'conf', 'cyborg_client', *GROUND},
    'plugin': {'conf'},
    'nova': {
        'attach',
        'conf',
        'contract',
        'cyborg_client',
        'plugin',
        *GROUND,
    },
    'lifecycle': {'db', *GROUND},
    'api': {'conf', 'db', 'lifecycle', *GROUND},
    'cyborg': {'conf', 'exception', 'language', 'names'},
    'audit': {'db', 'lifecycle', *GROUND},
    'checks': {'api', 'conf', 'cyborg_client', 'db', 'nova', *GROUND},
    'cmd': {'audit', 'checks', 'db', *GROUND},
    # Each of its modules is for tests of one service, and no service's.
    'fixture': {'api', 'conf', 'db', 'lifecycle', 'plugin', *GROUND},
    # It sees no more of the code than a cloud's users do.
    'tempest': set(),
}

# Who may import a partner, by the partner's top-level package.
PARTNERS = {
    'nova': {'attach', 'checks', 'contract', 'fixture', 'nova'},
    'cyborg': {
        'api',
        'audit',
        'checks',
        'cmd',
        'cyborg',
        'db',
        'fixture',
        'lifecycle',
    },
    'sqlalchemy': {'db', 'fixture'},
    'alembic': {'db'},
    'oslo_db': {'db', 'fixture'},
    'pecan': {'api'},
    'placement': set(),
    'novaclient': {'cli'},
    'openstackclient': {'cli'},
    'osc_lib': {'cli'},
    'tempest': {'tempest'},
    'testtools': {'tempest'},
}


@dataclasses.dataclass(frozen=True)
class Import:
    """A module that a file imports, wherever in the file."""

    path: pathlib.Path
    line: int
    module: str

    @property
    def part(self) -> str:
        """The part of the project that the file belongs to."""
        return self.path.relative_to(ROOT).parts[0].removesuffix('.py')

    @property
    def partner(self) -> str:
        return self.module.partition('.')[0]

    @property
    def imported_part(self) -> str | None:
        top, _dot, rest = self.module.partition('.')
        if top != 'nova_cyborg' or not rest:
            return None
        return rest.partition('.')[0]

    def __str__(self) -> str:
        return f'{self.path}:{self.line} imports {self.module}'


def _modules(node: ast.AST) -> collections.abc.Iterator[str]:
    if isinstance(node, ast.Import):
        for name in node.names:
            yield name.name
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, 'relative imports are not used'
        for name in node.names:
            yield f'{node.module}.{name.name}'


def _imports() -> list[Import]:
    return [
        Import(path, node.lineno, module)
        for path in sorted(ROOT.rglob('*.py'))
        for node in ast.walk(ast.parse(path.read_text()))
        for module in _modules(node)
    ]


IMPORTS = _imports()
PARTS = sorted({found.part for found in IMPORTS} - {'__init__'})


def wrong(
    condition: collections.abc.Callable[[Import], bool],
) -> list[str]:
    return [str(found) for found in IMPORTS if condition(found)]


def test_the_sources_are_read():
    modules = {found.module for found in IMPORTS}

    # One at the top of a file, one in a function.
    assert 'nova_cyborg.exception' in modules
    assert 'wrapt' in modules


@pytest.mark.parametrize('part', PARTS)
def test_a_part_imports_only_what_is_beneath_it(part):
    beneath = ALLOWED.get(part)
    if beneath is None:
        pytest.fail(f'say in this test what {part} may import')

    assert not wrong(
        lambda found: (
            found.part == part
            and found.imported_part not in {None, part, *beneath}
        )
    )


@pytest.mark.parametrize('partner', PARTNERS)
def test_a_partner_is_imported_only_where_it_belongs(partner):
    assert not wrong(
        lambda found: (
            found.partner == partner and found.part not in PARTNERS[partner]
        )
    )


def test_parts_do_not_import_each_other_in_a_circle():
    edges = {
        part: {
            found.imported_part
            for found in IMPORTS
            if found.part == part and found.imported_part not in (None, part)
        }
        for part in PARTS
    }
    # What imports nothing that is left can be taken away, until nothing is.
    while edges:
        free = {part for part in edges if not edges[part] & edges.keys()}
        assert free, f'there is a circle among {sorted(edges)}'
        edges = {part: edges[part] for part in edges.keys() - free}


@pytest.mark.parametrize('part', PARTS)
def test_names_of_other_parts_that_are_private_are_not_used(part):
    assert not wrong(
        lambda found: (
            found.part == part
            and found.imported_part not in (None, part)
            and any(
                name.startswith('_') for name in found.module.split('.')[1:]
            )
        )
    )
