# SPDX-License-Identifier: Apache-2.0

"""What is shipped: licence headers, and entry points that lead somewhere."""

import configparser
import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from packaging import requirements, version

ROOT = pathlib.Path(__file__).parents[2]
LICENCE = 'SPDX-License-Identifier: Apache-2.0'
# Not all of them are installed everywhere: pip install nova-cyborg[nova].
PARTNERS = {
    'cyborg',
    'nova',
    'novaclient',
    'openstackclient',
    'osc_lib',
    'tempest',
}


def _entry_points():
    setup = configparser.ConfigParser(delimiters=['='])
    setup.optionxform = str
    setup.read(ROOT / 'setup.cfg')
    for group, lines in setup['entry_points'].items():
        for line in lines.strip().splitlines():
            name, _equals, value = line.partition('=')
            yield importlib.metadata.EntryPoint(
                name.strip(), value.strip(), group
            )


ENTRY_POINTS = list(_entry_points())


def _load(entry_point):
    try:
        return entry_point.load()
    except ModuleNotFoundError as exc:
        if exc.name.partition('.')[0] in PARTNERS:
            pytest.skip(f'{exc.name} is not installed')
        raise


def test_a_file_opens_with_its_licence():
    found = subprocess.run(
        ['git', 'ls-files', '*.py', '*.sh', '*.c', '*.h'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        pytest.skip('the sources are not in a git repository')
    paths = [ROOT / name for name in found.stdout.splitlines()]

    assert not [
        str(path.relative_to(ROOT))
        for path in paths
        # An empty file has nothing to be licensed.
        if path.exists() and path.stat().st_size
        # A script has its interpreter before it.
        if not any(LICENCE in line for line in _first_lines(path))
    ]


def _first_lines(path):
    return path.read_text().splitlines()[:2]


@pytest.mark.parametrize(
    'entry_point',
    ENTRY_POINTS,
    ids=lambda entry_point: f'{entry_point.group}:{entry_point.name}',
)
def test_an_entry_point_leads_somewhere(entry_point):
    assert _load(entry_point) is not None


def test_the_installed_entry_points_are_those_of_the_sources():
    installed = {
        (entry_point.group, entry_point.name, entry_point.value)
        for entry_point in importlib.metadata.distribution(
            'nova-cyborg'
        ).entry_points
    }

    assert installed >= {
        (entry_point.group, entry_point.name, entry_point.value)
        for entry_point in ENTRY_POINTS
        # Commands are taken over by pbr in its own form.
        if entry_point.group != 'console_scripts'
    }


@pytest.mark.parametrize(
    ('group', 'name'),
    [
        ('oslo.messaging.notify.drivers', 'nova_cyborg'),
        ('nova_cyborg.conductor', 'device_context'),
        ('nova_cyborg.attach', 'PCI'),
        ('nova_cyborg.attach', 'MDEV'),
        ('cyborg.accelerator.driver', 'file_driver'),
        ('openstack.cli.server_create', 'nova_cyborg'),
        ('openstack.cli.server_show', 'nova_cyborg'),
        ('novaclient.extension', 'nova_cyborg'),
        ('tempest.test_plugins', 'nova_cyborg'),
        ('console_scripts', 'nova-cyborg-manage'),
    ],
)
def test_what_configuration_files_name_is_there(group, name):
    names = {(each.group, each.name) for each in ENTRY_POINTS}

    assert (group, name) in names


def _listed_options(name):
    (entry_point,) = [
        each
        for each in ENTRY_POINTS
        if (each.group, each.name) == ('oslo.config.opts', name)
    ]
    return entry_point.load()()


def test_the_options_are_for_the_generator():
    ((group, options),) = _listed_options('nova_cyborg')

    assert str(group) == 'nova_cyborg'
    assert {option.name for option in options} >= {
        'allowed_resource_classes',
        'conductor_hooks',
        'devices_file',
        'max_accelerators_per_server',
        'max_contexts_per_project',
        'max_groups_per_server',
    }
    assert len({option.name for option in options}) == len(options)
    assert all(option.help for option in options)


def test_the_options_of_tempest_are_documented():
    options = dict(_listed_options('nova_cyborg.tempest'))

    names = {group.name for group in options}
    assert names == {'service_available', 'device_context'}
    assert all(each.help for listed in options.values() for each in listed)


def _is_allowed(package, release, python):
    """Tell whether all that is said of a package allows a release of it."""
    setup = configparser.ConfigParser(delimiters=['='])
    setup.read(ROOT / 'setup.cfg')
    lines = (ROOT / 'requirements.txt').read_text().splitlines()
    for text in setup['extras'].values():
        # pbr has a colon there.
        lines += [line.replace(':', ';') for line in text.splitlines()]
    said = [
        requirements.Requirement(line)
        for line in lines
        if line.startswith(package)
    ]
    valid = [
        each
        for each in said
        if not each.marker or each.marker.evaluate({'python_version': python})
    ]
    assert valid
    return all(version.Version(release) in each.specifier for each in valid)


@pytest.mark.parametrize(
    ('package', 'release', 'pythons'),
    [
        # The newest Nova of Python 3.10 is 33, of the release of Cyborg 16.
        ('nova', '33.0.0', {'3.10', '3.11', '3.13'}),
        ('openstack-cyborg', '16.0.1', {'3.10', '3.11', '3.13'}),
        ('openstack-cyborg', '17.0.0', {'3.11', '3.13'}),
        # It has a script of the name of ours.
        ('python-cyborgclient', '2.8.0', {'3.10'}),
        ('python-cyborgclient', '3.0.0', {'3.10', '3.11', '3.13'}),
    ],
)
def test_each_python_gets_releases_that_belong_together(
    package, release, pythons
):
    assert {
        python
        for python in ('3.10', '3.11', '3.13')
        if _is_allowed(package, release, python)
    } == pythons


def test_nothing_is_installed_but_the_package():
    setup = configparser.ConfigParser(delimiters=['='])
    setup.read(ROOT / 'setup.cfg')

    assert dict(setup['files']) == {'packages': '\nnova_cyborg'}


def _version_of(folder, archival, **environment):
    """Ask a copy of the sources without git for its version."""
    for name in ('setup.py', 'setup.cfg', 'requirements.txt', 'README.rst'):
        shutil.copy(ROOT / name, folder)
    (folder / '.git_archival.txt').write_text(archival)
    variables = {
        name: value
        for name, value in os.environ.items()
        if name != 'PBR_VERSION'
    }
    return subprocess.run(
        [sys.executable, '-W', 'ignore', 'setup.py', '-q', '--version'],
        cwd=folder,
        env=variables | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ('commit', 'describe', 'expected'),
    [
        ('6a03593', '1.2.0', '1.2.0'),
        ('6a03593', '1.2.0-14-g6a03593', '1.2.1.dev14'),
        # Nothing was released, or git is too old to say what.
        ('6a03593', '', '0.0.1.dev0+g6a03593'),
        ('6a03593', '%(describe:tags=true)', '0.0.1.dev0+g6a03593'),
    ],
)
def test_an_archive_of_the_sources_has_a_version(
    tmp_path, commit, describe, expected
):
    done = _version_of(tmp_path, f'commit: {commit}\ndescribe: {describe}\n')

    assert done.stdout.split() == [expected], done.stderr


def test_a_copy_of_the_sources_says_what_it_lacks(tmp_path):
    archival = (ROOT / '.git_archival.txt').read_text()

    done = _version_of(tmp_path, archival)

    assert done.returncode == 1
    assert 'PBR_VERSION=1.0.0 python3 -m pip install .' in done.stderr
    assert 'Traceback' not in done.stderr
    told = _version_of(tmp_path, archival, PBR_VERSION='7.8.9')
    assert told.stdout.split() == ['7.8.9']
