# SPDX-License-Identifier: Apache-2.0

"""Imports run one way; read from the sources, so that nothing is missed."""

import ast
import collections.abc
import dataclasses
import pathlib
import re

import pytest

import nova_cyborg

ROOT = pathlib.Path(nova_cyborg.__file__).parent

# The rule stands where people read it: a row for each part, with its name,
# the process that it runs in, what may import it, and what it is.
TABLE = ROOT.parent / 'doc' / 'source' / 'contributor' / 'layout.rst'
_NAME = re.compile(r'``([a-z_]+)``')

# The folder in nova/ that is for several of Nova's services.
SHARED = 'features'

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
    'prometheus_client': {'cmd'},
    'placement': set(),
    'novaclient': {'cli'},
    'openstackclient': {'cli'},
    'osc_lib': {'cli'},
    'tempest': {'tempest'},
    'testtools': {'tempest'},
}


def _rows() -> list[list[str]]:
    """Read the cells of the first list-table, without its head."""
    lines = TABLE.read_text().partition('.. list-table::')[2].splitlines()
    rows: list[list[str]] = []
    for line in lines[1:]:
        if line.startswith('   * - '):
            rows.append([line[7:]])
        elif line.startswith('     - '):
            rows[-1].append(line[7:])
        elif line.startswith('       ') and rows:
            rows[-1][-1] += ' ' + line.strip()
        elif line.strip() and not line.startswith(' '):
            break
    return rows[1:]


def _imported_by() -> dict[str, set[str]]:
    """Return which parts may import a part, by its name."""
    return {
        _NAME.search(name)[1]: set(_NAME.findall(importers))
        for name, _process, importers, _sentence in _rows()
    }


IMPORTED_BY = _imported_by()


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


def test_the_table_has_each_part_once():
    there_are = {
        path.name.removesuffix('.py')
        for path in ROOT.iterdir()
        if not path.name.startswith('_')
    }

    assert sorted(IMPORTED_BY) == sorted(there_are)
    assert len(_rows()) == len(there_are)


def test_the_table_names_parts_that_there_are():
    assert set().union(*IMPORTED_BY.values()) <= IMPORTED_BY.keys()


@pytest.mark.parametrize('part', IMPORTED_BY)
def test_a_part_is_imported_by_those_that_may(part):
    assert not wrong(
        lambda found: (
            found.imported_part == part
            and found.part not in {part, *IMPORTED_BY[part]}
        )
    )


def test_what_one_service_of_nova_runs_is_not_imported_by_another():
    services = {
        folder.name
        for folder in (ROOT / 'nova').iterdir()
        if (folder / '__init__.py').exists() and folder.name != SHARED
    }

    assert services == {'api', 'compute', 'conductor'}
    assert not wrong(
        lambda found: (
            found.part == 'nova'
            and (named := found.module.split('.'))[:2]
            == ['nova_cyborg', 'nova']
            and named[2] in services
            and found.path.relative_to(ROOT).parts[1] != named[2]
        )
    )


def test_no_folder_has_more_than_ten_files_on_one_level():
    folders = [
        folder
        for folder in [ROOT, *ROOT.rglob('*')]
        if folder.is_dir()
        # Revisions of the database are there for ever.
        and not {'tests', 'versions'} & set(folder.relative_to(ROOT).parts)
    ]

    assert not [
        f'{folder}: {len(files)}'
        for folder in folders
        if len(files := list(folder.glob('*.py'))) > 10
    ]


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
