# SPDX-License-Identifier: Apache-2.0


"""Which host a server with device contexts gets."""

import pytest

from tests.e2e import contexts, person, servers


@pytest.mark.parametrize(
    ('request_body', 'host'),
    [
        # A class that one host has.
        ({'resources': {'QAT': 1}}, 'compute2'),
        ({'resources': {'FPGA_GZIP': 1}}, 'compute1'),
        # A class that both have, and a trait that one has.
        (
            {'resources': {'FPGA': 1}, 'required': ['SOME_BAR_CAPABILITY']},
            'compute1',
        ),
        (
            {'resources': {'FPGA': 1}, 'required': ['SOME_BAZ_CAPABILITY']},
            'compute2',
        ),
    ],
)
def test_only_the_host_with_resources_and_traits_is_chosen(
    demo: person.Person,
    admin: person.Person,
    request_body: dict[str, object],
    host: str,
) -> None:
    context_id = contexts.create(demo, **request_body)
    server_id = servers.boot_active(demo, context_id)
    assert contexts.show(demo, context_id)['host'] == host
    server = servers.show(admin, server_id)
    assert server['OS-EXT-SRV-ATTR:host'] == host


@pytest.mark.parametrize(
    'request_body',
    [
        # The device is there, but not with this trait.
        {'resources': {'QAT': 1}, 'required': ['SOME_FOO_CAPABILITY']},
        # Both traits are there, on two hosts.
        {
            'resources': {'FPGA': 1},
            'required': ['SOME_BAR_CAPABILITY', 'SOME_BAZ_CAPABILITY'],
        },
        # More than one device has.
        {'resources': {'FPGA': 3}},
        # Both devices are there, on two hosts.
        {
            'groups': [
                {'resources': {'FPGA_GZIP': 1}},
                {'resources': {'QAT': 1}},
            ]
        },
        # Nobody has heard of it.
        {'resources': {'UNHEARD_OF': 1}},
    ],
)
def test_no_such_host(
    demo: person.Person, request_body: dict[str, object]
) -> None:
    context_id = contexts.create(demo, **request_body)
    server_id = servers.boot(demo, context_id)
    fault = servers.wait_fault(demo, server_id)
    assert 'No valid host' in fault['message']
    # While the failed server is there, too: another can have it.
    contexts.wait_until(demo, context_id, 'available')


def test_a_context_that_is_free_again_serves_the_next_server(
    demo: person.Person,
) -> None:
    good = contexts.create(demo)
    impossible = contexts.create(demo, resources={'UNHEARD_OF': 1})
    failed = servers.boot(demo, good, impossible)
    servers.wait_fault(demo, failed)
    contexts.wait_until(demo, good, 'available')
    servers.boot_active(demo, good)
