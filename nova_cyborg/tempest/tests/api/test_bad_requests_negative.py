# SPDX-License-Identifier: Apache-2.0

"""Requests for device contexts that are refused before they are stored."""

import json
import typing as ty

from tempest.lib import decorators
from tempest.lib.common.utils import data_utils

from nova_cyborg.tempest.tests import base

_LONG = 'A' * 256
_GROUP: dict[str, ty.Any] = {'resources': {'FPGA': 1}}


class BadRequestsNegativeTest(base.BaseDeviceContextTest):
    """Each is answered with 400, and a sentence that names the field."""

    def setUp(self) -> None:
        """Have a name that tells whether anything was stored."""
        super().setUp()
        self.name = data_utils.rand_name('bad')

    def _refuse(self, field: str, **body: ty.Any) -> None:
        """Try to create with a bad body, and check that nothing is stored."""
        detail = self.assert_refused(
            'invalid_request',
            self.contexts.create_device_context,
            **{'name': self.name, **body},
        )
        self.assertTrue(detail.startswith(f'Invalid {field}: '), detail)
        self._assert_nothing_stored()

    def _assert_nothing_stored(self) -> None:
        listed = self.contexts.list_device_contexts(name=self.name)
        self.assertEqual([], listed['device_contexts'])

    @decorators.idempotent_id('14a1e829-160f-4d2a-9264-e552bfd247d7')
    def test_amounts(self) -> None:
        for amount in (0, -1, 2**31, '1', 'many', 1.5, True, None):
            self._refuse('resources.FPGA', resources={'FPGA': amount})
        two = [_GROUP, {'resources': {'FPGA': 0}}]
        self._refuse('groups[1].resources.FPGA', groups=two)

    @decorators.idempotent_id('7c7a5c13-a454-410a-8fcc-9956abf7e18e')
    def test_names_of_resource_classes(self) -> None:
        # Those that stock Nova fills from the flavor are not for contexts.
        for name in ('', _LONG, 'FPGÄ', 'FPGA GZIP', 'VCPU', 'MEMORY_MB'):
            self._refuse('resources', resources={name: 1})
        twice = {'GZIP': 1, 'CUSTOM_GZIP': 1}
        self._refuse('resources', resources=twice)

    @decorators.idempotent_id('734e6e82-2204-4476-9a45-a04f7428fc3a')
    def test_no_resources(self) -> None:
        self._refuse('resources')
        self._refuse('resources', required=['CUSTOM_X'])
        self._refuse('resources', resources={})
        self._refuse('groups', groups=[])
        self._refuse('groups[1].resources', groups=[_GROUP, {}])

    @decorators.idempotent_id('9c316342-79fb-46c6-944c-9a7cf5b62de2')
    def test_traits(self) -> None:
        for field in ('required', 'forbidden'):
            for name in ('', _LONG, 'SCHÖN', 'FOO BAR', 1, None):
                self._refuse(field, **_GROUP, **{field: [name]})
            many = [f'T{number}' for number in range(51)]
            self._refuse(field, **_GROUP, **{field: many})

    @decorators.idempotent_id('b9328398-dab5-490b-a69b-0a8b83e8e002')
    def test_a_trait_both_required_and_forbidden(self) -> None:
        traits = {'required': ['X'], 'forbidden': ['CUSTOM_X']}
        self._refuse('forbidden', **_GROUP, **traits)
        second = {**_GROUP, **traits}
        self._refuse('groups[1].forbidden', groups=[_GROUP, second])

    @decorators.idempotent_id('4a65683c-8807-4023-a82b-264007b12d2d')
    def test_config_data(self) -> None:
        for key in ('', 'k' * 129, 'ä', 'a b'):
            self._refuse('config', **_GROUP, config={key: 'v'})
        for value in (1, None, 'v' * 1025, 'ä'):
            self._refuse('config.key', **_GROUP, config={'key': value})
        many = {f'key{number}': '' for number in range(33)}
        self._refuse('config', **_GROUP, config=many)

    @decorators.idempotent_id('de45f1c4-5810-4ef7-91d9-0d0435af96cc')
    def test_too_many_groups(self) -> None:
        self._refuse('groups', groups=[_GROUP] * 17)

    @decorators.idempotent_id('35c16fbd-df9b-4c23-a54f-dd3848257b50')
    def test_own_fields(self) -> None:
        for name in ('', ' ', _LONG, 'gz\x7fip', 'gzip\n', 1):
            self._refuse('name', **_GROUP, name=name)
        for text in ('d' * 1025, 'gz\x00ip', 1):
            self._refuse('description', **_GROUP, description=text)
        for value in ('no', 0, None):
            self._refuse(
                'delete_on_termination', **_GROUP, delete_on_termination=value
            )
        for word in ('perhaps', '', None):
            self._refuse('live_migration', **_GROUP, live_migration=word)
        for tag in ('', 't' * 61, 'a/b', 'a,b', 1):
            self._refuse('tag', **_GROUP, tag=tag)

    @decorators.idempotent_id('44645648-a8ab-4622-9f56-1c4d24e9cdfc')
    def test_unknown_fields(self) -> None:
        self._refuse('colour', **_GROUP, colour='red')
        # What the service sets is not taken from the request.
        self._refuse('project_id', **_GROUP, project_id='other')
        group = {**_GROUP, 'name': 'red'}
        self._refuse('groups[0].name', groups=[group])

    @decorators.idempotent_id('9d9c9708-9f57-4adf-b1e8-6f7934cf8b60')
    def test_two_ways_of_asking_together(self) -> None:
        self._refuse('resources', **_GROUP, groups=[_GROUP])
        self._refuse('device_profile', **_GROUP, device_profile='gzip')
        self._refuse('device_profile', groups=[_GROUP], device_profile='gzip')

    @decorators.idempotent_id('0b95ff7f-f50e-4ae9-b47c-4baa921744e6')
    def test_a_device_profile_that_does_not_exist(self) -> None:
        for name in (base.UNKNOWN_ID, data_utils.rand_name('profile')):
            detail = self.assert_refused(
                'device_profile.not_found',
                self.contexts.create_device_context,
                name=self.name,
                device_profile=name,
            )
            self.assertIn(name, detail)
        self._assert_nothing_stored()

    @decorators.idempotent_id('dc36de5f-9627-4fdb-a52c-3de21181177f')
    def test_bodies_that_are_no_json_objects(self) -> None:
        for body in ('', 'no JSON', '{"name": ', '[' * 20000, '[]', 'null'):
            detail = self.assert_refused(
                'invalid_request',
                self.contexts.post,
                '/device_contexts',
                body,
            )
            self.assertIn('body', detail)

    @decorators.idempotent_id('ea0d353c-7f01-4eb2-9135-507e6205acc8')
    def test_a_body_over_the_limit(self) -> None:
        body = {**_GROUP, 'name': self.name, 'description': 'x' * 70000}
        detail = self.assert_refused(
            'request_too_large',
            self.contexts.post,
            '/device_contexts',
            json.dumps(body),
        )
        self.assertIn('body', detail)
        self._assert_nothing_stored()

    @decorators.idempotent_id('a9940d97-742b-423d-b060-2e591fd59a71')
    def test_update(self) -> None:
        made = self.create_context()
        bodies: list[tuple[str, dict[str, ty.Any]]] = [
            ('body', {}),
            ('name', {'name': ''}),
            ('name', {'name': _LONG}),
            ('description', {'description': 'd' * 1025}),
            ('delete_on_termination', {'delete_on_termination': 'no'}),
            ('live_migration', {'live_migration': 'perhaps'}),
            ('tag', {'tag': 'a/b'}),
            ('colour', {'colour': 'red'}),
            # What it asks for cannot be changed.
            ('resources', {'name': 'good', **_GROUP}),
            ('status', {'status': 'bound'}),
        ]
        for field, body in bodies:
            detail = self.assert_refused(
                'invalid_request',
                self.contexts.update_device_context,
                made['uuid'],
                **body,
            )
            self.assertTrue(detail.startswith(f'Invalid {field}: '), detail)
        self.assertEqual(made, self.show(made['uuid']))

    @decorators.idempotent_id('0db21371-839e-4737-9495-8da7dd533ccd')
    def test_list(self) -> None:
        queries = {
            'limit': ('-1', 'many', '1' * 10, ''),
            'marker': ('nonsense',),
            'sort_key': ('status', ''),
            'sort_dir': ('up',),
            'status': ('Available', 'nonsense'),
            'server_id': ('nonsense',),
            'name': ('', _LONG),
            'all_projects': ('yes',),
            'colour': ('red',),
        }
        for field, values in queries.items():
            for value in values:
                detail = self.assert_refused(
                    'invalid_request',
                    self.contexts.list_device_contexts,
                    **{field: value},
                )
                self.assertIn(field, detail)
        self.assert_refused(
            'invalid_request',
            self.contexts.get,
            '/device_contexts?limit=1&limit=2',
        )
