# SPDX-License-Identifier: Apache-2.0

"""What the devstack plugin writes and asks for, phase by phase."""

import shutil

import pytest

from tests.unit.devstack import stack

NOVA_CONFS = [
    'nova/nova.conf',
    'nova/nova-cpu.conf',
    'nova/nova_cell1.conf',
    'nova/nova_cell2.conf',
]
COMPUTE_CONF = 'nova/nova-cpu.conf'
ROOT_PORTS = ('libvirt', 'num_pcie_ports')
ALL_PHASES = [
    'stack pre-install',
    'stack install',
    'stack post-config',
    'stack extra',
    'stack test-config',
]
LIST = 'openstack --os-cloud devstack-admin accelerator device context list'
DRIVER = ('oslo_messaging_notifications', 'driver')


@pytest.fixture
def host(tmp_path):
    return stack.Stack(tmp_path)


def run(host, *phases, **options):
    """Run phases that are to succeed."""
    done = host.run(*phases, **options)
    assert done.code == 0, done
    return done


def option(host, name, section, key):
    return host.options(name).get(section, {}).get(key)


class TestSettings:
    def test_it_comes_after_cyborgs_plugin(self, host):
        calls = run(host).calls

        assert 'define_plugin nova-cyborg' in calls
        assert 'plugin_requires nova-cyborg cyborg' in calls

    @pytest.mark.parametrize(
        ('before', 'after'),
        [
            ('', '{here}'),
            ('0', '{here}'),
            ('/opt/stack/other', '/opt/stack/other {here}'),
            ('{here}', '{here}'),
        ],
    )
    def test_tempest_gets_the_plugin_once(self, host, before, after):
        here = str(stack.PLUGIN.parent)
        host.environment['TEMPEST_PLUGINS'] = before.format(here=here)

        done = run(host, then='told "$TEMPEST_PLUGINS"')

        assert done.calls[-1] == after.format(here=here)


class TestOrder:
    def test_cyborgs_plugin_first(self, host):
        calls = run(host, *ALL_PHASES).calls

        ours = calls.index('async_wait configure_neutron_nova')
        assert calls.index('configure_cyborg') < ours

    @pytest.mark.parametrize(
        'services', [stack.ALL, 'nova n-cpu cyborg-agent']
    )
    def test_cyborgs_plugin_last(self, tmp_path, services):
        host = stack.Stack(tmp_path, services)
        host.plugins.reverse()

        assert_stops_at_once(host)

    def test_without_cyborgs_plugin(self, host):
        host.plugins = host.plugins[-1:]

        assert_stops_at_once(host)

    def test_a_host_without_cyborg(self, tmp_path):
        host = stack.Stack(tmp_path, 'nova n-cpu')
        host.plugins.reverse()

        run(host, *ALL_PHASES)


def assert_stops_at_once(host):
    before = host.files()

    done = host.run(*ALL_PHASES)

    assert done.code == 1
    assert 'put enable_plugin cyborg before' in done.err
    assert host.files() == before
    assert not [call for call in done.calls if 'setup_develop' in call]


class TestInstall:
    @pytest.mark.parametrize(
        ('services', 'extras'),
        [
            (stack.ALL, 'nova,cyborg'),
            ('nova n-cpu', 'nova'),
            ('nova n-cpu cyborg-agent', 'nova,cyborg'),
            ('cyborg-api cyborg-cond', 'cyborg'),
        ],
    )
    def test_what_the_services_need(self, tmp_path, services, extras):
        host = stack.Stack(tmp_path, services)

        calls = run(host, 'stack install').calls

        assert f'setup_develop {stack.PLUGIN.parent} {extras}' in calls


class TestPostConfig:
    @pytest.mark.parametrize('name', NOVA_CONFS)
    def test_every_service_of_nova_loads_the_plugin(self, host, name):
        run(host, 'stack post-config')

        assert option(host, name, *DRIVER) == ['nova_cyborg']

    @pytest.mark.parametrize('name', NOVA_CONFS)
    def test_every_service_of_nova_has_a_service_token(self, host, name):
        run(host, 'stack post-config')

        assert host.options(name)['service_user'] == {
            'send_service_user_token': ['True'],
            'auth_type': ['password'],
            'auth_url': ['http://controller/identity'],
            'username': ['nova'],
            'password': ['secret'],
            'project_name': ['service'],
            'user_domain_name': ['Default'],
            'project_domain_name': ['Default'],
        }

    def test_drivers_that_are_there_stay(self, host):
        host.write(
            'nova/nova.conf',
            '[oslo_messaging_notifications]\n'
            'driver = messagingv2\ndriver = log\n',
        )

        run(host, 'stack post-config')

        assert option(host, 'nova/nova.conf', *DRIVER) == [
            'messagingv2',
            'log',
            'nova_cyborg',
        ]

    def test_other_options_stay(self, host):
        run(host, 'stack post-config')

        for name in NOVA_CONFS:
            assert option(host, name, 'DEFAULT', 'debug') == ['True']

    def test_neutron_writes_the_same_files_first(self, host):
        calls = run(host, 'stack post-config').calls

        assert 'async_wait configure_neutron_nova' in calls

    def test_a_cell_of_another_host(self, host):
        (host.etc / 'nova/nova_cell2.conf').unlink()

        run(host, 'stack post-config')

        assert not (host.etc / 'nova/nova_cell2.conf').exists()

    def test_tls(self, tmp_path):
        host = stack.Stack(tmp_path, f'{stack.ALL} tls-proxy')

        run(host, 'stack post-config')

        found = option(host, 'nova/nova.conf', 'service_user', 'cafile')
        assert found == ['/opt/stack/data/ca-bundle.pem']

    @pytest.mark.parametrize(
        ('name', 'value', 'confs'),
        [
            ('max_groups_per_server', '4', NOVA_CONFS),
            (
                'max_accelerators_per_server',
                '128',
                (*NOVA_CONFS, 'cyborg/cyborg.conf'),
            ),
            ('max_device_combinations', '1000', NOVA_CONFS),
            ('max_contexts_per_project', '-1', ['cyborg/cyborg.conf']),
            (
                'allowed_resource_classes',
                'FPGA,PGPU',
                ['cyborg/cyborg.conf'],
            ),
        ],
    )
    def test_a_bound(self, host, name, value, confs):
        host.environment[f'NOVA_CYBORG_{name.upper()}'] = value

        run(host, 'stack post-config')

        for conf in (*NOVA_CONFS, 'cyborg/cyborg.conf'):
            found = option(host, conf, 'nova_cyborg', name)
            assert found == ([value] if conf in confs else None), conf

    def test_guests_have_root_ports(self, host):
        run(host, 'stack post-config')

        for name in NOVA_CONFS:
            found = option(host, name, *ROOT_PORTS)
            assert found == (['16'] if name == COMPUTE_CONF else None)

    def test_root_ports_that_are_set_stay(self, host):
        host.write(COMPUTE_CONF, '[libvirt]\nnum_pcie_ports = 28\n')

        run(host, 'stack post-config')
        assert option(host, COMPUTE_CONF, *ROOT_PORTS) == ['28']
        run(host, 'clean')
        assert option(host, COMPUTE_CONF, *ROOT_PORTS) == ['28']

    def test_guests_have_none_without_hot_plug(self, host):
        host.environment['NOVA_CYBORG_HOT_PLUG'] = 'False'

        run(host, 'stack post-config')

        assert option(host, COMPUTE_CONF, *ROOT_PORTS) is None

    def test_placement_prunes(self, host):
        run(host, 'stack post-config')

        assert host.options('placement/placement.conf') == {
            'placement_database': {'connection': ['x']},
            'placement': {
                'max_allocation_candidates': ['1000'],
                'allocation_candidates_generation_strategy': ['breadth-first'],
            },
            'workarounds': {'optimize_for_wide_provider_trees': ['True']},
        }
        for name in NOVA_CONFS:
            found = option(host, name, 'nova_cyborg', 'placement_prunes')
            assert found == ['True']

    def test_placement_does_not_prune(self, host):
        host.environment['NOVA_CYBORG_PLACEMENT_PRUNES'] = 'False'
        before = host.files()['placement/placement.conf']

        run(host, 'stack post-config')

        assert host.files()['placement/placement.conf'] == before
        for name in NOVA_CONFS:
            found = option(host, name, 'nova_cyborg', 'placement_prunes')
            assert found == ['False']

    def test_placement_is_on_another_host(self, tmp_path):
        services = stack.ALL.replace('placement-api', 'placement-client')
        host = stack.Stack(tmp_path, services)
        before = host.files()['placement/placement.conf']

        run(host, 'stack post-config')

        assert host.files()['placement/placement.conf'] == before

    def test_cyborg_can_ask_nova(self, host):
        run(host, 'stack post-config')

        found = host.options('cyborg/cyborg.conf')['nova']
        assert found['username'] == ['nova']
        assert found['auth_type'] == ['password']

    def test_what_cyborgs_plugin_wrote_stays(self, host):
        text = '[nova]\nauth_type = v3token\n'
        host.write('cyborg/cyborg.conf', text)

        run(host, 'stack post-config')

        assert host.files()['cyborg/cyborg.conf'].startswith(text)

    def test_the_conductor_of_cyborg_loads_the_plugin(self, host):
        before = host.files()['cyborg/cyborg.conf']

        run(host, 'stack post-config')

        found = host.options('cyborg/cyborg.conf')
        assert found['oslo_messaging_notifications']['driver'] == [
            'nova_cyborg'
        ]
        run(host, 'unstack')
        assert 'nova_cyborg' not in host.files()['cyborg/cyborg.conf']
        assert before in host.files()['cyborg/cyborg.conf']

    def test_the_application_factory_waits_for_the_tables(self, host):
        before = host.files()['cyborg/api-paste.ini']

        run(host, 'stack post-config')

        assert host.files()['cyborg/api-paste.ini'] == before

    def test_a_list_of_devices(self, host, tmp_path):
        path = tmp_path / 'mine.yaml'
        path.write_text('devices: []\n')
        host.environment['NOVA_CYBORG_DEVICES_FILE'] = str(path)

        run(host, 'stack post-config')

        copy = host.etc / 'cyborg/nova_cyborg_devices.yaml'
        assert copy.read_text() == path.read_text()
        conf = 'cyborg/cyborg.conf'
        found = option(host, conf, 'nova_cyborg', 'devices_file')
        assert found == [str(copy)]
        found = option(host, conf, 'agent', 'enabled_drivers')
        assert found == ['fake_driver,file_driver']

    def test_a_list_of_devices_with_a_file_of_the_agent(self, host, tmp_path):
        """As today's plugin of Cyborg has it."""
        path = tmp_path / 'mine.yaml'
        path.write_text('devices: []\n')
        conf = 'cyborg/cyborg-agent.conf'
        host.write(conf, '[agent]\nenabled_drivers = fake_driver\n')
        before = host.files()
        host.environment['NOVA_CYBORG_DEVICES_FILE'] = str(path)
        host.environment['CYBORG_AGENT_CONF'] = str(host.etc / conf)

        run(host, 'stack post-config')

        copy = host.etc / 'cyborg/nova_cyborg_devices.yaml'
        found = option(host, conf, 'nova_cyborg', 'devices_file')
        assert found == [str(copy)]
        found = option(host, conf, 'agent', 'enabled_drivers')
        assert found == ['fake_driver,file_driver']
        assert option(host, conf, *DRIVER) == ['nova_cyborg']
        other = host.options('cyborg/cyborg.conf')
        assert other['agent'] == {'enabled_drivers': ['fake_driver']}

        run(host, 'unstack')

        assert option(host, conf, 'nova_cyborg', 'devices_file') is None
        assert option(host, conf, *DRIVER) is None
        found = option(host, conf, 'agent', 'enabled_drivers')
        assert found == ['fake_driver']
        assert host.files().keys() == before.keys()

    def test_a_host_with_cyborg_only(self, tmp_path):
        host = stack.Stack(tmp_path, 'cyborg-api cyborg-cond')

        run(host, *ALL_PHASES)

        for name in NOVA_CONFS:
            assert option(host, name, *DRIVER) is None

    def test_a_host_with_compute_only(self, tmp_path):
        host = stack.Stack(tmp_path, 'nova n-cpu')
        before = host.files()

        calls = run(host, *ALL_PHASES).calls

        assert option(host, 'nova/nova-cpu.conf', *DRIVER) == ['nova_cyborg']
        after = host.files()
        assert after['cyborg/cyborg.conf'] == before['cyborg/cyborg.conf']
        assert after['cyborg/api-paste.ini'] == before['cyborg/api-paste.ini']
        assert not [call for call in calls if 'nova-cyborg-' in call]


class TestExtra:
    def test_tables_then_factory_then_restart(self, host):
        calls = run(host, 'stack post-config', 'stack extra').calls

        conf = host.etc / 'cyborg/cyborg.conf'
        upgrade = f'nova-cyborg-manage --config-file {conf} db upgrade'
        assert calls[-3:] == [
            upgrade,
            'restart_service devstack@cyborg-api',
            LIST,
        ]
        paste = host.options('cyborg/api-paste.ini')
        assert paste == {
            'app:api_v2': {
                'paste.app_factory': ['nova_cyborg.api.app:app_factory']
            },
            'filter:request_id': {'paste.filter_factory': ['x:factory']},
        }

    def test_without_tables_the_factory_stays(self, host):
        host.write_command('nova-cyborg-manage', 'exit 1')
        before = host.files()['cyborg/api-paste.ini']

        done = host.run('stack post-config', 'stack extra')

        assert done.code == 1
        assert host.files()['cyborg/api-paste.ini'] == before
        assert not [call for call in done.calls if 'restart' in call]

    def test_device_contexts_are_served_after_a_while(self, host):
        host.write_command('openstack', '[ "$(grep -c list "$CALLS")" -eq 3 ]')

        calls = run(host, 'stack post-config', 'stack extra').calls

        assert calls[-3:] == [LIST] * 3

    def test_device_contexts_are_not_served(self, host):
        host.write_command('openstack', 'exit 1')
        host.environment['SERVICE_TIMEOUT'] = '1'

        done = host.run('stack post-config', 'stack extra')

        assert done.code == 1
        assert 'cyborg-api does not start with device contexts' in done.err

    @pytest.mark.parametrize('name', NOVA_CONFS)
    def test_another_plugin_has_replaced_the_driver(self, host, name):
        run(host, 'stack post-config')
        host.write(name, '[oslo_messaging_notifications]\ndriver = noop\n')

        done = host.run('stack extra')

        assert done.code == 1
        assert name in done.err
        assert 'enable_plugin nova-cyborg after it' in done.err


class TestTestConfig:
    def test_tempest(self, host):
        run(host, 'stack test-config')

        found = host.options('tempest.conf')
        assert found['service_available'] == {
            'nova': ['True'],
            'nova_cyborg': ['True'],
        }
        assert found['device_context'] == {
            'resource_class': ['FPGA'],
            'hot_plug': ['True'],
        }

    def test_tempest_with_other_devices(self, host):
        host.environment.update(
            NOVA_CYBORG_TEMPEST_RESOURCE_CLASS='CUSTOM_QAT',
            NOVA_CYBORG_TEMPEST_REQUIRED_TRAITS='CUSTOM_A,CUSTOM_B',
        )

        run(host, 'stack test-config')

        assert host.options('tempest.conf')['device_context'] == {
            'resource_class': ['CUSTOM_QAT'],
            'required_traits': ['CUSTOM_A,CUSTOM_B'],
            'hot_plug': ['True'],
        }

    def test_tempest_without_hot_plug(self, host):
        host.environment['NOVA_CYBORG_HOT_PLUG'] = 'False'

        run(host, 'stack test-config')

        assert option(host, 'tempest.conf', 'device_context', 'hot_plug') == [
            'False'
        ]

    @pytest.mark.parametrize('moves', ['False', 'True'])
    def test_tempest_moves_servers(self, host, moves):
        """Whatever devstack has said before."""
        host.environment['NOVA_CYBORG_TEMPEST_MOVES'] = moves
        host.write(
            'tempest.conf',
            '[compute]\nmin_compute_nodes = 1\n'
            '[compute-feature-enabled]\nlive_migration = False\n',
        )

        run(host, 'stack test-config')

        found = host.options('tempest.conf')
        if moves == 'False':
            assert found['compute'] == {'min_compute_nodes': ['1']}
            assert found['compute-feature-enabled'] == {
                'live_migration': ['False']
            }
        else:
            assert found['compute'] == {'min_compute_nodes': ['2']}
            assert found['compute-feature-enabled'] == {
                'resize': ['True'],
                'cold_migration': ['True'],
                'live_migration': ['True'],
            }

    def test_all_is_checked(self, host):
        calls = run(host, 'stack test-config').calls

        assert calls[-1] == (
            f'nova-cyborg-status --nova-config-file {host.etc}/nova/nova.conf '
            f'--cyborg-config-file {host.etc}/cyborg/cyborg.conf '
            f'--placement-config-file {host.etc}/placement/placement.conf '
            'upgrade check'
        )

    @pytest.mark.parametrize(('status', 'code'), [(1, 0), (2, 1), (255, 1)])
    def test_warnings_do_not_stop(self, host, status, code):
        host.write_command('nova-cyborg-status', f'exit {status}')

        done = host.run('stack test-config')

        assert done.code == code
        assert ('not set up' in done.err) == bool(code)

    def test_not_checked(self, host):
        host.environment['NOVA_CYBORG_CHECK'] = 'False'

        calls = run(host, 'stack test-config').calls

        assert not [call for call in calls if 'status' in call]


class TestAgain:
    def test_nothing_is_done_twice(self, host, tmp_path):
        path = tmp_path / 'mine.yaml'
        path.write_text('devices: []\n')
        host.environment['NOVA_CYBORG_DEVICES_FILE'] = str(path)
        run(host, *ALL_PHASES)
        before = host.files()

        run(host, *ALL_PHASES)

        assert host.files() == before

    def test_twice_in_one_shell(self, host):
        run(host, *ALL_PHASES)
        before = host.files()

        run(host, *ALL_PHASES, *ALL_PHASES)

        assert host.files() == before


class TestUndo:
    @pytest.fixture
    def stacked(self, host, tmp_path):
        path = tmp_path / 'mine.yaml'
        path.write_text('devices: []\n')
        host.environment['NOVA_CYBORG_DEVICES_FILE'] = str(path)
        host.environment['NOVA_CYBORG_MAX_GROUPS_PER_SERVER'] = '4'
        host.environment['NOVA_CYBORG_MAX_ACCELERATORS_PER_SERVER'] = '128'
        host.write(
            'nova/nova.conf',
            '[oslo_messaging_notifications]\ndriver = messagingv2\n',
        )
        run(host, *ALL_PHASES)
        return host

    @pytest.mark.parametrize('phase', ['unstack', 'clean'])
    def test_files_are_as_before(self, stacked, phase):
        run(stacked, phase)

        assert option(stacked, 'nova/nova.conf', *DRIVER) == ['messagingv2']
        assert option(stacked, COMPUTE_CONF, *ROOT_PORTS) is None
        for name in NOVA_CONFS:
            assert 'nova_cyborg' not in stacked.files()[name].replace(
                '[nova_cyborg]', ''
            )
        found = stacked.options('placement/placement.conf')
        assert found == {'placement_database': {'connection': ['x']}}
        paste = stacked.options('cyborg/api-paste.ini')['app:api_v2']
        assert paste == {'paste.app_factory': ['cyborg.api.app:app_factory']}
        conf = stacked.options('cyborg/cyborg.conf')
        assert conf['agent'] == {'enabled_drivers': ['fake_driver']}
        assert 'nova_cyborg' not in conf
        assert 'cyborg/nova_cyborg_devices.yaml' not in stacked.files()

    def test_clean_uninstalls(self, stacked):
        assert run(stacked, 'clean').calls[-1] == 'pip_uninstall nova-cyborg'

    def test_unstack_does_not(self, stacked):
        calls = run(stacked, 'unstack').calls

        assert not [call for call in calls if 'uninstall' in call]

    @pytest.mark.parametrize('phase', ['unstack', 'clean'])
    def test_again(self, stacked, phase):
        run(stacked, phase)
        before = stacked.files()

        run(stacked, 'unstack', 'clean')

        assert stacked.files() == before

    @pytest.mark.parametrize('phase', ['unstack', 'clean'])
    def test_with_no_files_left(self, stacked, phase):
        shutil.rmtree(stacked.etc)

        run(stacked, phase)

        assert not stacked.files()

    @pytest.mark.parametrize('phase', ['unstack', 'clean'])
    def test_options_of_placement_that_are_not_ours_stay(self, host, phase):
        host.environment['NOVA_CYBORG_PLACEMENT_PRUNES'] = 'False'
        text = '[placement]\nmax_allocation_candidates = 77\n'
        host.write('placement/placement.conf', text)
        run(host, *ALL_PHASES)

        run(host, phase)

        assert host.files()['placement/placement.conf'] == text

    @pytest.mark.parametrize('phase', ['unstack', 'clean'])
    def test_a_list_that_is_not_ours_stays(self, host, phase):
        path = host.etc / 'cyborg/devices.yaml'
        path.write_text('devices: []\n')
        host.write(
            'cyborg/cyborg.conf',
            '[agent]\nenabled_drivers = file_driver\n\n'
            f'[nova_cyborg]\ndevices_file = {path}\n',
        )

        run(host, *ALL_PHASES, phase)

        assert path.read_text() == 'devices: []\n'
        conf = host.options('cyborg/cyborg.conf')
        assert conf['agent'] == {'enabled_drivers': ['file_driver']}
        assert conf['nova_cyborg'] == {'devices_file': [str(path)]}

    @pytest.mark.parametrize('phase', ['unstack', 'clean'])
    def test_a_list_at_the_options_default_stays(self, host, phase):
        path = host.etc / 'cyborg/devices.yaml'
        path.write_text('devices: []\n')
        host.environment['NOVA_CYBORG_DEVICES_FILE'] = str(path)

        run(host, *ALL_PHASES, phase)

        assert path.read_text() == 'devices: []\n'

    def test_and_stacked_again(self, stacked):
        before = {
            name: stacked.options(name)
            for name in stacked.files()
            if name.endswith(('.conf', '.ini'))
        }
        run(stacked, 'unstack', 'clean')

        run(stacked, *ALL_PHASES)

        assert before == {name: stacked.options(name) for name in before}


def test_a_phase_of_no_concern_does_nothing(host):
    before = host.files()

    calls = run(host, 'stack pre-install', 'stack other').calls

    assert host.files() == before
    # Those of the settings.
    assert len(calls) == 2
