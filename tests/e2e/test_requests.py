# SPDX-License-Identifier: Apache-2.0


"""What can be asked for, alone and together, and what the guest gets."""

import pytest

from tests.e2e import contexts, databases, guest, person, servers
from tools.cloud import cloud as cloud_module

_ALIAS = 'ua-'


def _boot_and_compare(
    cloud: cloud_module.Cloud, demo: person.Person, *context_ids: str
) -> list[guest.Hostdev]:
    """Boot a server, and compare its guest's devices with its contexts'."""
    server_id = servers.boot_active(demo, *context_ids)
    held = [contexts.show(demo, each) for each in context_ids]
    assert {each['status'] for each in held} == {'bound'}
    assert {each['server_id'] for each in held} == {server_id}
    found = guest.in_order(guest.hostdevs(cloud, server_id))
    assert found == guest.in_order(guest.of_contexts(*held))
    return found


def test_two_contexts_on_one_server(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    first, second = contexts.create(demo), contexts.create(demo)
    made = demo.show(
        'openstack server create --image cirros --flavor m1.small '
        f'--nic none --device-context-id {first} '
        f'--device-context-id {second} two'
    )
    servers.wait_active(demo, made['id'])
    held = [contexts.show(demo, each) for each in (first, second)]
    assert {each['server_id'] for each in held} == {made['id']}
    devices = guest.hostdevs(cloud, made['id'])
    assert len({each.slot for each in devices}) == 2
    assert guest.in_order(devices) == guest.in_order(guest.of_contexts(*held))


def test_nova_boot_takes_the_option_twice(demo: person.Person) -> None:
    ids = {contexts.create(demo), contexts.create(demo)}
    options = ' '.join(f'--device-context-id {each}' for each in ids)
    demo.run(
        f'nova boot {options} --image cirros --flavor m1.small --nic none two'
    )
    server_id = servers.named(demo, 'two')[0]['id']
    servers.wait_active(demo, server_id)
    held = [contexts.show(demo, each)['server_id'] for each in ids]
    assert held == [server_id, server_id]


def test_a_context_beside_a_flavor_with_a_device_profile(
    cloud: cloud_module.Cloud, demo: person.Person, profile_flavor: str
) -> None:
    context_id = contexts.create(
        demo, resources={'FPGA': 1}, required=['SOME_BAZ_CAPABILITY']
    )
    server_id = servers.boot_active(demo, context_id, flavor=profile_flavor)
    ours = guest.of_contexts(contexts.show(demo, context_id))
    devices = guest.hostdevs(cloud, server_id)
    stock = [each for each in devices if each not in ours]
    assert len(devices) == 2
    assert [each.slot[:8] for each in stock] == ['0000:3d:']
    # As stock Nova writes them: an alias of ours would tell a lie.
    assert not (stock[0].alias or '').startswith(_ALIAS)
    states = databases.query(
        cloud,
        'cyborg',
        'SELECT state FROM extended_accelerator_requests '
        'WHERE instance_uuid = ?',
        server_id,
    )
    assert states == [('Bound',), ('Bound',)]


def test_an_amount_of_two_is_two_arqs(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = demo.run(
        'cyborg device-context-create --resources FPGA:2'
    ).strip()
    devices = _boot_and_compare(cloud, demo, context_id)
    assert len({each.alias for each in devices}) == 2
    assert len({each.slot for each in devices}) == 2


def test_two_groups_land_on_two_providers(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = demo.run(
        'cyborg device-context-create --resources FPGA:1 '
        "--group 'resources=QAT:1;requires=SOME_CRYPTO_CAPABILITY'"
    ).strip()
    devices = _boot_and_compare(cloud, demo, context_id)
    assert [each.slot[:8] for each in devices] == ['0000:0d:', '0000:3d:']
    shown = contexts.show(demo, context_id)
    providers = {each['resource_provider_id'] for each in shown['devices']}
    assert len(providers) == 2
    assert [each['group'] for each in shown['devices']] == [0, 1]


@pytest.mark.parametrize(
    ('forbidden', 'host'),
    [
        ('SOME_BAR_CAPABILITY', 'compute2'),
        ('SOME_BAZ_CAPABILITY', 'compute1'),
    ],
)
def test_a_forbidden_trait_leads_to_the_other_device(
    demo: person.Person, forbidden: str, host: str
) -> None:
    context_id = demo.run(
        'cyborg device-context-create --resources FPGA:1 '
        f'--forbids {forbidden}'
    ).strip()
    servers.boot_active(demo, context_id)
    assert contexts.show(demo, context_id)['host'] == host


@pytest.mark.parametrize('field', ['name', 'uuid'])
def test_a_context_is_a_copy_of_its_device_profile(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    admin: person.Person,
    device_profile: dict[str, str],
    field: str,
) -> None:
    context_id = demo.run(
        'cyborg device-context-create '
        f'--device-profile {device_profile[field]}'
    ).strip()
    # What becomes of the profile does not reach the context.
    admin.accelerator.delete(f'/device_profiles/{device_profile["uuid"]}')
    devices = _boot_and_compare(cloud, demo, context_id)
    assert [each.slot[:8] for each in devices] == ['0000:3d:']


def test_a_mediated_device(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = demo.run(
        'cyborg device-context-create --resources VGPU:1 '
        '--requires HW_GPU_API_VULKAN'
    ).strip()
    [device] = _boot_and_compare(cloud, demo, context_id)
    assert device.kind == 'mdev'


def test_a_kept_context_serves_a_second_server(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = demo.run(
        'cyborg device-context-create --resources FPGA_GZIP:1 '
        '--keep-on-termination'
    ).strip()
    first = servers.boot_active(demo, context_id)
    servers.delete(demo, [first])
    contexts.wait_until(demo, context_id, 'available')
    shown = contexts.show(demo, context_id)
    assert shown['devices'] == []
    assert shown['server_id'] is None
    _boot_and_compare(cloud, demo, context_id)


def test_lists_by_comma_and_by_repeating_are_one(
    demo: person.Person,
) -> None:
    by_comma = demo.show(
        'openstack accelerator device context create '
        '--resources FPGA:1,QAT:2 --requires ONE,TWO --forbids THREE,FOUR'
    )
    by_repeating = demo.show(
        'openstack accelerator device context create '
        '--resources FPGA:1 --resources QAT:2 --requires ONE '
        '--requires TWO --forbids THREE --forbids FOUR'
    )
    assert by_comma['groups'] == by_repeating['groups']
    assert by_comma['groups'] == [
        {
            'resources': {'FPGA': 1, 'CUSTOM_QAT': 2},
            'required': ['CUSTOM_ONE', 'CUSTOM_TWO'],
            'forbidden': ['CUSTOM_FOUR', 'CUSTOM_THREE'],
            'config': {},
        }
    ]
