# SPDX-License-Identifier: Apache-2.0

"""What all tests of device contexts have in common."""

import collections.abc
import typing as ty

from tempest import config, test
from tempest.lib import exceptions as lib_exc
from tempest.lib.common.utils import data_utils, test_utils

CONF = config.CONF

UNKNOWN_ID = '00000000-0000-4000-8000-000000000007'


class BaseDeviceContextTest(test.BaseTestCase):
    """A project with device contexts."""

    credentials: ty.ClassVar[list[ty.Any]] = ['primary']

    @classmethod
    def skip_checks(cls) -> None:
        """Skip where the cloud has no device contexts."""
        super().skip_checks()
        if not CONF.service_available.nova_cyborg:
            raise cls.skipException(
                'Device contexts are not available '
                '([service_available] nova_cyborg)'
            )

    @classmethod
    def setup_credentials(cls) -> None:
        """Make the projects without networks, which nothing here needs."""
        cls.set_network_resources()
        super().setup_credentials()

    @classmethod
    def setup_clients(cls) -> None:
        """Name the client of the project's member."""
        super().setup_clients()
        cls.contexts = cls.os_primary.device_context.DeviceContextsClient()

    @classmethod
    def one_device(cls, **fields: ty.Any) -> dict[str, ty.Any]:
        """Return a group that asks for one of the cloud's devices.

        :param fields: further fields of the group, or other values.
        :returns: the group, as the API takes it.
        """
        return {
            'resources': {CONF.device_context.resource_class: 1},
            'required': list(CONF.device_context.required_traits),
            **fields,
        }

    def create_context(
        self, client: ty.Any = None, **fields: ty.Any
    ) -> ty.Any:
        """Make a device context that is gone when the test is over.

        :param client: whose it is; by default the project's member.
        :param fields: of the request; by default it asks for one device.
        :returns: the device context, with the response's headers.
        """
        client = client or self.contexts
        made = new_context(client, fields, self.one_device())
        self.addCleanup(
            test_utils.call_and_ignore_notfound_exc,
            client.delete_device_context,
            made['uuid'],
        )
        return made

    def show(self, context_id: str) -> dict[str, ty.Any]:
        """Return what the API says of a device context of the project.

        :param context_id: its UUID.
        :returns: the device context.
        """
        shown: dict[str, ty.Any] = self.contexts.show_device_context(
            context_id
        )
        return shown

    def assert_refused(
        self,
        code: str,
        call: collections.abc.Callable[..., object],
        *args: object,
        **kwargs: object,
    ) -> str:
        """Check that a request is refused, with a body of our form.

        :param code: the stable code of the error, without its prefix.
        :param call: a client's method.
        :param args: its arguments.
        :param kwargs: its keyword arguments.
        :returns: the sentence for people.
        """
        refused = self.assertRaises(
            lib_exc.ClientRestClientException, call, *args, **kwargs
        )
        (error,) = refused.resp_body
        self.assertEqual(f'nova_cyborg.{code}', error['code'], error)
        self.assertEqual(refused.resp.status, error['status'])
        return str(error['detail'])


def new_context(
    client: ty.Any,
    fields: dict[str, ty.Any],
    default: dict[str, ty.Any],
) -> ty.Any:
    """Make a device context with a name of its own.

    :param client: the client of its project's member.
    :param fields: the fields of the request.
    :param default: what it asks for, if the fields ask for nothing.
    :returns: the device context, with the response's headers.
    """
    if not fields.keys() & {'resources', 'groups', 'device_profile'}:
        fields = {**default, **fields}
    name = data_utils.rand_name('context', prefix=CONF.resource_name_prefix)
    made = client.create_device_context(**{'name': name, **fields})
    # What is said once is not a part of it.
    del made['warnings']
    return made
