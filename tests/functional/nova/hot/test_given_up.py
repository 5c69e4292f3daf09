# SPDX-License-Identifier: Apache-2.0

"""nova-api gives up what it has reserved."""

from tests.functional.nova.hot import racing  # isort: skip - first

from nova import context as nova_context
from nova import objects

_HINT = 'nova_cyborg.nova.api.attachments.compute_api._change_hint'


class GivenUpTest(racing.TestCase):
    """Nova has no request of the server any more."""

    def _lose_request(self) -> None:
        objects.RequestSpec.get_by_instance_uuid(
            nova_context.get_admin_context(), self.server['id']
        ).destroy()

    def test_the_last_one_is_detached_meanwhile(self) -> None:
        self.attach(self.pci)
        pause = self.pause(_HINT)
        request = racing.Request(self.post, self.mdev)
        pause.reached()
        self.detach(self.pci)
        # nova-compute has left them for the one that is to come.
        self.assertTrue(self.instance().flavor.extra_specs)
        self._lose_request()
        pause.go_on()
        answer = request.refusal()
        assert answer
        status, why = answer
        self.assertEqual(409, status)
        self.assertIn('Nova has no request of it', why)
        self.assert_as_before()

    def test_it_is_detached_all_the_same(self) -> None:
        self.attach(self.pci)
        self._lose_request()
        self.detach(self.pci)
        self.assert_as_before()
