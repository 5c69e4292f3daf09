# SPDX-License-Identifier: Apache-2.0

"""A guest that computes moves to the other host, and computes there."""

import collections.abc

from tests.e2e import contexts, guest, person, servers
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module

Tell = collections.abc.Callable[[str], None]
Choose = collections.abc.Callable[[str | None], None]


def test_live(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    admin: person.Person,
    only_host: Choose,
    tell: Tell,
) -> None:
    only_host('compute2')
    context_id = contexts.create(
        demo, resources={'EDU': 1}, live_migration='detach'
    )
    server_id = guests.boot(demo, context_id)
    boot = guests.wait_ready(cloud, demo, server_id)
    guests.check(cloud, demo, server_id, boot, context_id)
    tell('the guest has computed')
    only_host('compute1')
    servers.act(
        admin,
        server_id,
        **{'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
    )
    servers.wait_active(demo, server_id)
    tell('ACTIVE')
    print(contexts.show(demo, context_id))
    print(servers.show(admin, server_id))
    again = guests.wait_ready(cloud, demo, server_id, after=boot)
    tell('computed again')
    print(boot, again)
    guests.check(cloud, demo, server_id, again, context_id)
