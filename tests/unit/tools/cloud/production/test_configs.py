# SPDX-License-Identifier: Apache-2.0

"""Tests of a production-like cloud that differs from the others."""

import configparser

import pytest

from tools.cloud import kinds, wanted
from tools.cloud.model import state
from tools.cloud.production import configs, services


@pytest.fixture
def make(tmp_path):
    """Make the folder of a cloud that is wanted somehow."""

    def _make(**fields):
        asked = wanted.Wanted(kinds.PRODUCTION, computes=2, real=0, **fields)
        made = state.State(tmp_path / 'cloud', asked.settings())
        made.save()
        configs.write(made)
        return made

    return _make


def _options(path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    return parser


def test_options_of_nova(make):
    cloud = make(nova_options={'nova_cyborg': {'an_option': '90'}})

    for path in (
        cloud.config('nova'),
        configs.path(cloud, 'nova', 'cell1'),
        configs.path(cloud, 'nova', 'compute1'),
    ):
        options = _options(path)['nova_cyborg']
        assert options['an_option'] == '90'
        assert options['placement_prunes'] == 'true'


def test_a_cloud_knows_what_it_was_made_with(make):
    cloud = make(nova_options={'a': {'b': 'c'}}, conductors=2)

    assert state.State.load(cloud.path).settings == cloud.settings


@pytest.mark.parametrize(
    ('number', 'names'),
    [
        (1, ['cyborg-conductor']),
        (2, ['cyborg-conductor', 'cyborg-conductor2']),
    ],
)
def test_each_cyborg_conductor_is_a_host_of_its_own(make, number, names):
    cloud = make(conductors=number)
    found = {
        each.name: each
        for each in services.all_programs(cloud)
        if each.name.startswith('cyborg-conductor')
    }

    hosts = []
    for each in found.values():
        path = each.command[-1].removeprefix('--config-file=')
        hosts.append(_options(path)['DEFAULT']['host'])
    assert list(found) == names
    assert hosts == ['controller', 'controller2'][:number]
