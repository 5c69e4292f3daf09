# SPDX-License-Identifier: Apache-2.0

"""The jobs of .zuul.yaml exist, and run what there is."""

import configparser
import pathlib

import pytest
import yaml

import nova_cyborg

TOP = pathlib.Path(nova_cyborg.__file__).parents[1]
ITEMS = yaml.safe_load((TOP / '.zuul.yaml').read_text())
JOBS = {item['job']['name']: item['job'] for item in ITEMS if 'job' in item}
[PROJECT] = [item['project'] for item in ITEMS if 'project' in item]


@pytest.fixture(scope='module')
def environments():
    parser = configparser.RawConfigParser()
    parser.read(TOP / 'tox.ini')
    return {
        section.partition(':')[2]
        for section in parser.sections()
        if section.startswith('testenv:')
    }


def variables_of(name):
    """Return a job's variables: its own, and those of its parents here."""
    job = JOBS.get(name)
    if not job:
        return {}
    return {**variables_of(job['parent']), **job.get('vars', {})}


@pytest.mark.parametrize('pipeline', ['check', 'gate'])
def test_all_jobs_are_run(pipeline):
    wanted = {name for name, job in JOBS.items() if not job.get('abstract')}

    assert set(PROJECT[pipeline]['jobs']) == wanted


@pytest.mark.parametrize('name', [name for name in JOBS if '-tox-' in name])
def test_tox_has_the_environment(name, environments):
    assert variables_of(name)['tox_envlist'] in environments


@pytest.mark.parametrize(
    'name',
    [
        'nova-cyborg-tempest',
        'nova-cyborg-tempest-multinode',
        'nova-cyborg-upgrade',
    ],
)
def test_devstack_gets_both_plugins(name):
    variables = variables_of(name)

    assert set(variables['devstack_plugins']) == {'cyborg', 'nova-cyborg'}
    assert 'nova-cyborg' in variables['tempest_plugins']


def test_servers_come_from_one_node_to_the_other():
    variables = variables_of('nova-cyborg-tempest-multinode')

    options = variables['devstack_local_conf']['test-config']
    assert (
        "'compute1'"
        in (options['$TEMPEST_CONFIG']['device_context']['host_to_force_down'])
    )


def test_servers_are_moved_where_there_are_two_nodes():
    variables = variables_of('nova-cyborg-tempest-multinode')

    assert variables['devstack_localrc']['NOVA_CYBORG_TEMPEST_MOVES'] is True
    # Nothing says otherwise.
    options = variables['devstack_local_conf']['test-config']
    assert set(options['$TEMPEST_CONFIG']) == {'device_context'}


def test_the_second_node_has_an_agent_and_no_api():
    group = JOBS['nova-cyborg-tempest-multinode']['group-vars']['subnode']

    services = group['devstack_services']
    assert services['cyborg-agent']
    assert not services['cyborg-api']
    assert not services['cyborg-cond']
