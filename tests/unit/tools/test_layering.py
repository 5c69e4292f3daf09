# SPDX-License-Identifier: Apache-2.0

"""Who may import whom in tools; read from the sources, functions included."""

import ast
import collections.abc
import dataclasses
import pathlib
import re

import pytest

import tools

ROOT = pathlib.Path(tools.__file__).parents[1]

# Each room, and what its modules may import beside their own room's. A room is
# a folder; the modules of tools/cloud itself are rooms of their own. What a
# line names must stand above it, so that nothing imports in a circle.
ROOMS = {
    'command_line': (),
    'cloud.exception': (),
    'cloud.waiting': ('cloud.exception',),
    # The ground that every kind of cloud stands on.
    'cloud.machine': ('cloud.exception',),
    'cloud.model': ('cloud.exception', 'cloud.machine'),
    'cloud.fakes': ('cloud.exception', 'cloud.model'),
    'cloud.configs': ('cloud.machine', 'cloud.model'),
    'cloud.supervisor': (
        'cloud.exception',
        'cloud.waiting',
        'cloud.machine',
        'cloud.model',
        'cloud.configs',
    ),
    'cloud.up': (
        'command_line',
        'cloud.exception',
        'cloud.waiting',
        'cloud.model',
        'cloud.supervisor',
    ),
    'seldom.guest': ('command_line', 'cloud.exception'),
    'seldom.hypervisor': ('command_line', 'seldom.guest'),
    # The kinds: the embedded cloud first.
    'cloud.embedded': (
        'cloud.exception',
        'cloud.waiting',
        'cloud.machine',
        'cloud.model',
        'cloud.fakes',
        'cloud.configs',
    ),
    'cloud.production': (
        'command_line',
        'cloud.exception',
        'cloud.waiting',
        'cloud.machine',
        'cloud.model',
        'cloud.fakes',
        'cloud.configs',
        'cloud.supervisor',
        'cloud.up',
        'seldom.guest',
        'cloud.embedded',
    ),
    'cloud.passthrough': (
        'command_line',
        'cloud.exception',
        'cloud.waiting',
        'cloud.machine',
        'cloud.model',
        'cloud.configs',
        'seldom.guest',
        'seldom.hypervisor',
        'cloud.embedded',
    ),
    'cloud.kinds': (
        'cloud.exception',
        'cloud.model',
        'cloud.embedded',
        'cloud.production',
        'cloud.passthrough',
    ),
    # What programs and people see of a cloud.
    'cloud.wanted': (
        'cloud.exception',
        'cloud.machine',
        'cloud.model',
        'cloud.kinds',
    ),
    'cloud.running': (
        'cloud.exception',
        'cloud.waiting',
        'cloud.machine',
        'cloud.model',
        'cloud.supervisor',
        'cloud.kinds',
    ),
    'cloud.cloud': (
        'command_line',
        'cloud.exception',
        'cloud.machine',
        'cloud.model',
        'cloud.supervisor',
        'cloud.up',
        'cloud.kinds',
        'cloud.wanted',
        'cloud.running',
    ),
    'cloud.tempest': (
        'cloud.exception',
        'cloud.model',
        'cloud.configs',
        'cloud.cloud',
    ),
    'cloud.arguments': ('command_line', 'cloud.model', 'cloud.kinds'),
    'cloud.cli': (
        'command_line',
        'cloud.exception',
        'cloud.model',
        'cloud.supervisor',
        'cloud.kinds',
        'cloud.wanted',
        'cloud.running',
        'cloud.cloud',
        'cloud.tempest',
        'cloud.arguments',
    ),
    'cloud.__main__': ('cloud.cli',),
    # What runs on clouds, and what only tests need.
    'demo': (
        'command_line',
        'cloud.exception',
        'cloud.waiting',
        'cloud.model',
        'cloud.passthrough',
        'cloud.kinds',
        'cloud.wanted',
        'cloud.cloud',
        'seldom.guest',
    ),
    'production': (
        'command_line',
        'cloud.exception',
        'cloud.machine',
        'cloud.supervisor',
        'cloud.production',
        'cloud.kinds',
        'cloud.wanted',
        'cloud.cloud',
    ),
    'databases': (
        'command_line',
        'cloud.exception',
        'cloud.waiting',
        'cloud.machine',
        'cloud.model',
        'cloud.configs',
        'cloud.supervisor',
        'cloud.production',
    ),
    'bench': (
        'command_line',
        'cloud.exception',
        'cloud.waiting',
        'cloud.machine',
        'cloud.model',
        'cloud.supervisor',
        'cloud.production',
        'cloud.kinds',
        'cloud.wanted',
        'cloud.running',
        'cloud.cloud',
    ),
    'seldom.chaos': (
        'command_line',
        'cloud.exception',
        'cloud.machine',
        'cloud.model',
        'cloud.production',
        'cloud.kinds',
        'cloud.wanted',
        'cloud.cloud',
    ),
    'seldom.matrix': ('command_line', 'cloud.machine'),
}

# Who else may import a partner. What is not on this list is for all.
PARTNERS = {
    'nova': (
        'cloud.embedded',
        'cloud.fakes',
        'cloud.production',
        'cloud.passthrough',
    ),
    'cyborg': ('cloud.embedded', 'cloud.fakes', 'cloud.production'),
    'neutron': ('cloud.embedded', 'cloud.production'),
    'keystone': ('cloud.embedded',),
    'glance': ('cloud.embedded',),
    'placement': ('cloud.embedded', 'bench'),
    'nova_cyborg': ('cloud.embedded', 'cloud.model', 'bench'),
    'tests': (),
    'supervisor': (),
}


@dataclasses.dataclass(frozen=True)
class Import:
    """An import, and where it stands."""

    importer: str
    line: int
    module: str

    def __str__(self) -> str:
        return f'{self.importer}, line {self.line}: {self.module}'


def _name(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {_name(path): path for path in (ROOT / 'tools').rglob('*.py')}


def _imports(importer: str) -> collections.abc.Iterator[Import]:
    for node in ast.walk(ast.parse(MODULES[importer].read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f'{importer} imports relatively'
            for alias in node.names:
                full = f'{node.module}.{alias.name}'
                known = full in MODULES or node.module not in MODULES
                module = full if known else str(node.module)
                yield Import(importer, node.lineno, module)


IMPORTS = [found for name in sorted(MODULES) for found in _imports(name)]
OURS = [found for found in IMPORTS if found.module.startswith('tools.')]


def _room(module: str) -> str | None:
    """Return the room of a module; packages alone are no rooms."""
    parts = module.split('.')[1:]
    for size in (2, 1):
        if '.'.join(parts[:size]) in ROOMS:
            return '.'.join(parts[:size])
    return None


def test_the_sources_are_read():
    imported = {(found.importer, found.module) for found in IMPORTS}

    # One at the top of a file, one in a function.
    assert ('tools.cloud.kinds', 'tools.cloud.exception') in imported
    assert ('tools.cloud.embedded.nova.process', 'nova.monkey_patch') in (
        imported
    )


@pytest.mark.parametrize('module', sorted(MODULES))
def test_what_is_imported_is_there(module):
    missing = [
        str(found)
        for found in OURS
        if found.importer == module and found.module not in MODULES
    ]

    assert not missing


def _named(importer: str) -> set[str]:
    """Return the modules that a module names to have them run or loaded."""
    return {
        node.value
        for node in ast.walk(ast.parse(MODULES[importer].read_text()))
        if isinstance(node, ast.Constant)
        and re.fullmatch(r'tools(\.\w+)+', str(node.value))
    }


@pytest.mark.parametrize('module', sorted(MODULES))
def test_what_is_named_is_there(module):
    assert _named(module) <= MODULES.keys()


def test_names_of_modules_are_seen():
    named = _named('tools.cloud.embedded.kind')

    assert 'tools.cloud.embedded.keystone.process' in named


@pytest.mark.parametrize('module', sorted(MODULES))
def test_a_module_has_a_room(module):
    if MODULES[module].name == '__init__.py' and not _room(module):
        assert not [each for each in OURS if each.importer == module]
        return

    assert _room(module), f'say in this test what {module} may import'


@pytest.mark.parametrize('room', ROOMS)
def test_a_room_imports_only_what_it_may(room):
    assert not [
        str(found)
        for found in OURS
        if _room(found.importer) == room
        and _room(found.module) not in (room, *ROOMS[room])
    ]


@pytest.mark.parametrize('room', ROOMS)
def test_a_room_stands_on_those_above_it(room):
    above = list(ROOMS)[: list(ROOMS).index(room)]

    assert set(ROOMS[room]) <= set(above)


@pytest.mark.parametrize('room', ROOMS)
def test_a_room_may_import_no_more_than_it_does(room):
    imported = {
        _room(found.module) for found in OURS if _room(found.importer) == room
    }

    assert set(ROOMS[room]) == imported - {room}


def test_no_module_imports_itself_by_way_of_others():
    edges: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in OURS:
        edges[found.importer].add(found.module)
        # To import a module is to import the packages it is in.
        parts = found.module.split('.')
        edges[found.importer].update(
            '.'.join(parts[:size]) for size in range(2, len(parts))
        )
    # What imports nothing that is left can be taken away, until nothing is.
    while edges:
        free = {name for name in edges if not edges[name] & edges.keys()}
        assert free, f'there is a circle among {sorted(edges)}'
        edges = {name: edges[name] for name in edges.keys() - free}


@pytest.mark.parametrize('partner', PARTNERS)
def test_a_partner_is_imported_only_where_it_belongs(partner):
    assert not [
        str(found)
        for found in IMPORTS
        if found.module.split('.')[0] == partner
        and _room(found.importer) not in PARTNERS[partner]
    ]


@pytest.mark.parametrize('room', ROOMS)
def test_private_names_of_other_modules_are_not_used(room):
    assert not [
        str(found)
        for found in OURS
        if any(
            part.startswith('_') and part != '__main__'
            for part in found.module.split('.')
        )
    ]
