# SPDX-License-Identifier: Apache-2.0

"""What is shipped: licence headers, and entry points that lead somewhere."""

import configparser
import importlib.metadata
import pathlib
import subprocess

import pytest

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
