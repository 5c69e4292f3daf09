# SPDX-License-Identifier: Apache-2.0

"""Client of Cyborg's ``/v2/device_profiles``, as far as needed."""

import typing as ty

from nova_cyborg.tempest.services import json_client

_PATH = '/device_profiles'
_PROFILE = {
    'type': 'object',
    'properties': {'uuid': {'type': 'string', 'format': 'uuid'}},
    'required': ['uuid'],
}
_CREATE = {'status_code': [201], 'response_body': _PROFILE}
_DELETE = {'status_code': [204]}
_LIST = {
    'status_code': [200],
    'response_body': {
        'type': 'object',
        'properties': {'device_profiles': {'type': 'array'}},
        'required': ['device_profiles'],
    },
}


class DeviceProfilesClient(json_client.JSONClient):
    """What administrators do with device profiles."""

    def create_device_profile(
        self, name: str, groups: list[dict[str, str]]
    ) -> ty.Any:
        """Create a device profile.

        :param name: its name.
        :param groups: its groups, in Cyborg's form.
        :returns: the device profile.
        """
        body = [{'name': name, 'groups': groups}]
        return self.call('POST', _PATH, _CREATE, body)

    def list_device_profiles(self) -> ty.Any:
        """List device profiles.

        :returns: ``device_profiles``, a list.
        """
        return self.call('GET', _PATH, _LIST)

    def delete_device_profile(self, profile_id: str) -> ty.Any:
        """Delete a device profile.

        :param profile_id: its UUID.
        :returns: nothing but the response's headers.
        """
        return self.call('DELETE', f'{_PATH}/{profile_id}', _DELETE)
