# SPDX-License-Identifier: Apache-2.0

"""What moves cost, and which are refused."""

from tests.functional.nova.moves import moving  # isort: skip - first

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import task_states
from nova.conductor import api as conductor
from nova.tests.functional.api import client

SOURCE, DESTINATION = moving.HOSTS
_READ = ('GET', '/v2/accelerator_requests')


class MovesTest(moving.TestCase):
    """Calls of Cyborg are counted: however many devices a server has.

    :cvar POLLS: whether nova-compute may have to ask until all is bound.
    """

    KINDS = moving.TestCase.KINDS[:1]
    POLLS = False

    def _calls(self, action: str, status: str) -> list[tuple[str, str]]:
        """Return the calls that an action makes."""
        before = len(self.nova_calls())
        self.do(action, status)
        made = self.nova_calls()[before:]
        if self.POLLS:
            made = self.without_polls(made)
        return [
            (method, path.replace(self.all[0].server['id'], 'SERVER'))
            for method, path in made
        ]

    def test_two_of_nova_conductor_and_of_each_nova_compute(self) -> None:
        allocation = '/v2/device_allocations/SERVER'
        moved = [
            ('POST', f'{allocation}/begin'),
            ('POST', f'{allocation}/bind'),
            _READ,
            ('POST', f'{allocation}/activate'),
        ]
        self.assertEqual(moved, self._calls('migrate', 'VERIFY_RESIZE'))
        self.assertEqual(
            # nova-api looks whether the devices are still there.
            [
                ('GET', allocation),
                ('POST', f'{allocation}/unbind'),
                _READ,
            ],
            self._calls('revertResize', 'ACTIVE'),
        )
        self.assertEqual(moved, self._calls('migrate', 'VERIFY_RESIZE'))
        self.assertEqual(
            [('POST', f'{allocation}/settle')],
            self._calls('confirmResize', 'ACTIVE'),
        )


class MediatedMovesTest(MovesTest):
    """Mediated devices are bound while nova-compute waits."""

    KINDS = moving.TestCase.KINDS[1:2]
    POLLS = True


class CallsTest(moving.TestCase):
    """Calls of Cyborg are counted when a server is not moved."""

    KINDS = moving.TestCase.KINDS[1:2]

    def test_one_of_nova_api_before_a_guest_is_started(self) -> None:
        """Beside those of stock Nova, which nova-conductor makes, too."""
        image = self.all[0].server['image']['id']
        for action, status, arguments in (
            ('reboot', 'ACTIVE', {'type': 'HARD'}),
            ('os-stop', 'SHUTOFF', None),
            ('os-start', 'ACTIVE', None),
            ('rebuild', 'ACTIVE', {'imageRef': image}),
        ):
            before = len(self.nova_calls())
            self.do(action, status, arguments)
            made = self.nova_calls()[before:]
            with self.subTest(action):
                asked = {'os-stop': 0, 'rebuild': 3}.get(action, 2)
                self.assertEqual([_READ] * asked, made)

    def test_none_for_a_server_without_device_contexts(self) -> None:
        server = self.boot()
        before = self.nova_calls()
        for action in ('revertResize', 'confirmResize'):
            self.act(server, 'migrate', 'VERIFY_RESIZE', api=self.admin_api)
            self.act(server, action, api=self.admin_api)
        self.assertEqual(before, self.nova_calls())


class ProfileTest(moving.TestCase):
    """Device profiles of flavors are moved by nobody."""

    KINDS = moving.TestCase.KINDS[:1]

    def setUp(self) -> None:
        super().setUp()
        self.create_profile('gpu', {'resources:PGPU': '1'})
        self.with_profile = self._create_flavor(
            extra_spec={'accel:device_profile': 'gpu'}
        )

    def test_nova_api_refuses_them(self) -> None:
        beside = self.boot(self.create_context(), flavorRef=self.with_profile)
        for server, flavor in (
            (self.all[0].server, self.with_profile),
            (beside, self.bigger),
        ):
            error = self.assertRaises(
                client.OpenStackApiException,
                self.api.post_server_action,
                server['id'],
                {'resize': {'flavorRef': flavor}},
            )
            self.assertEqual(400, error.response.status_code)
            self.assertIn('instances that have accelerators', str(error))

    def test_nova_conductor_refuses_them(self) -> None:
        context = nova_context.get_admin_context()
        instance = objects.Instance.get_by_uuid(
            context, self.all[0].server['id']
        )
        instance.task_state = task_states.RESIZE_PREP
        instance.save()
        self.assertRaises(
            nova_exception.ForbiddenWithAccelerators,
            conductor.ComputeTaskAPI().resize_instance,
            context,
            instance,
            {'filter_properties': {}},
            objects.Flavor.get_by_flavor_id(context, self.with_profile),
            request_spec=objects.RequestSpec.get_by_instance_uuid(
                context, instance.uuid
            ),
            host_list=None,
        )
        self.wait_for_all('ACTIVE')
        self.assert_on(SOURCE)
        self.migrate()
        self.confirm()
