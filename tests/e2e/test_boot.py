# SPDX-License-Identifier: Apache-2.0

"""What the real agents report is scheduled, bound and in the guest."""

from tests.e2e import contexts, guest, person, servers
from tools.cloud import cloud as cloud_module


def _compare(
    cloud: cloud_module.Cloud,
    owner: person.Person,
    server_id: str,
    *context_ids: str,
) -> list[guest.Hostdev]:
    """Compare the devices of a guest with those of its contexts."""
    servers.wait_active(owner, server_id)
    held = [contexts.show(owner, each) for each in context_ids]
    assert {each['status'] for each in held} == {'bound'}
    assert {each['server_id'] for each in held} == {server_id}
    found = guest.in_order(guest.hostdevs(cloud, server_id))
    assert found == guest.in_order(guest.of_contexts(*held))
    return found


def test_two_contexts_with_groups_amounts_and_a_mediated_device(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    first = demo.run('cyborg device-context-create --resources FPGA:2').strip()
    second = demo.run(
        'cyborg device-context-create --resources FPGA_GZIP:1 '
        "--group 'resources=VGPU:1;requires=HW_GPU_API_VULKAN'"
    ).strip()
    made = demo.show(
        'openstack server create --image cirros --flavor m1.small '
        f'--nic none --device-context-id {first} '
        f'--device-context-id {second} two'
    )
    devices = _compare(cloud, demo, made['id'], first, second)
    assert len({each.slot for each in devices}) == 4
    kinds = sorted(each.kind for each in devices)
    assert kinds == ['mdev', 'pci', 'pci', 'pci']
    groups = [each['group'] for each in contexts.show(demo, second)['devices']]
    assert sorted(groups) == [0, 1]


def test_the_host_with_such_a_device_by_nova_boot(
    cloud: cloud_module.Cloud, demo: person.Person, admin: person.Person
) -> None:
    # Both hosts have an FPGA; what tells them apart is a trait.
    ids = [
        contexts.create(
            demo, resources={'FPGA': 1}, required=['SOME_BAZ_CAPABILITY']
        ),
        contexts.create(demo, resources={'QAT': 1}),
    ]
    options = ' '.join(f'--device-context-id {each}' for each in ids)
    demo.run(
        f'nova boot {options} --image cirros --flavor m1.small --nic none two'
    )
    server_id = servers.named(demo, 'two')[0]['id']
    devices = _compare(cloud, demo, server_id, *ids)
    assert [each.slot[:8] for each in devices] == ['0000:0d:', '0000:3d:']
    server = servers.show(admin, server_id)
    assert server['OS-EXT-SRV-ATTR:host'] == 'compute2'
