# SPDX-License-Identifier: Apache-2.0

"""Lists of device contexts: filters, order and pages."""

import typing as ty
import urllib.parse

from tempest.lib import decorators

from nova_cyborg.tempest.tests import base


class ListTest(base.BaseDeviceContextTest):
    """Three device contexts, two of which have the same name.

    Others may be in the project, where accounts are made beforehand.
    """

    @classmethod
    def resource_setup(cls) -> None:
        """Make them."""
        super().resource_setup()
        cls.first = cls._make('B')
        cls.second = cls._make('C')
        cls.third = cls._make('A', name=cls.first['name'])
        cls.all = [cls.first, cls.second, cls.third]

    @classmethod
    def _make(cls, prefix: str, **fields: ty.Any) -> dict[str, ty.Any]:
        made = base.new_context(cls.contexts, fields, cls.one_device())
        cls.addClassResourceCleanup(
            cls.contexts.delete_device_context, made['uuid']
        )
        if fields:
            return made
        changed: dict[str, ty.Any] = cls.contexts.update_device_context(
            made['uuid'], name=f'{prefix}-{made["name"]}'
        )
        return changed

    def _list(self, **parameters: ty.Any) -> list[dict[str, ty.Any]]:
        """Return those of the class's device contexts that are listed."""
        listed = self.contexts.list_device_contexts(**parameters)
        return [each for each in listed['device_contexts'] if each in self.all]

    def _pages(self, **parameters: ty.Any) -> list[list[dict[str, ty.Any]]]:
        """Follow the links from the first page to the last."""
        pages = []
        query: dict[str, ty.Any] | None = parameters
        while query is not None:
            page = self.contexts.list_device_contexts(**query)
            pages.append(page['device_contexts'])
            query = _next_query(page)
        return pages

    @decorators.idempotent_id('79d6a99a-58f5-4dbe-a613-fbecb0c5c273')
    def test_list(self) -> None:
        self.assertCountEqual(self.all, self._list())

    @decorators.idempotent_id('cb912758-12d6-409d-9f8b-ec006664feef')
    def test_filter_by_name(self) -> None:
        name = self.first['name']
        self.assertCountEqual([self.first, self.third], self._list(name=name))
        # It is the whole name, not a part of it.
        self.assertEqual([], self._list(name=name[:-1]))

    @decorators.idempotent_id('13cccb5d-e1c7-4eba-ba30-c3c34d51fcd6')
    def test_filter_by_status(self) -> None:
        self.assertCountEqual(self.all, self._list(status='available'))
        for status in ('reserved', 'binding', 'bound', 'error'):
            self.assertEqual([], self._list(status=status))

    @decorators.idempotent_id('69284afd-b6f1-48d0-91c0-6a31be936aee')
    def test_filter_by_server(self) -> None:
        self.assertEqual([], self._list(server_id=base.UNKNOWN_ID))

    @decorators.idempotent_id('b872d780-9086-41bf-bbd4-31494250d39f')
    def test_filters_together(self) -> None:
        name = self.second['name']
        self.assertEqual(
            [self.second], self._list(name=name, status='available')
        )
        self.assertEqual([], self._list(name=name, status='bound'))

    @decorators.idempotent_id('c3ebfaa5-df35-4e2a-a958-b17f22346c50')
    def test_order(self) -> None:
        for key in ('name', 'uuid'):
            # Names may be equal; those are listed in any order.
            expected = sorted(each[key] for each in self.all)
            found = [each[key] for each in self._list(sort_key=key)]
            self.assertEqual(expected, found)
            found = [
                each[key] for each in self._list(sort_key=key, sort_dir='desc')
            ]
            self.assertEqual(expected[::-1], found)
        for key in ('created_at', 'updated_at'):
            found = [each[key] for each in self._list(sort_key=key)]
            self.assertEqual(sorted(found, key=str), found)

    @decorators.idempotent_id('38a10e7f-2fc0-4282-9f22-44a4927b0e31')
    def test_pages(self) -> None:
        for size in (1, 2, 3):
            for direction in ('asc', 'desc'):
                pages = self._pages(
                    limit=size, sort_key='uuid', sort_dir=direction
                )
                self.assertEqual({size}, {len(page) for page in pages[:-1]})
                found = [
                    each for page in pages for each in page if each in self.all
                ]
                expected = sorted(
                    self.all,
                    key=lambda each: each['uuid'],
                    reverse=direction == 'desc',
                )
                self.assertEqual(expected, found)

    @decorators.idempotent_id('c60ceca3-5e48-4db5-9e7b-19317dbfb6a6')
    def test_pages_of_a_filter(self) -> None:
        pages = self._pages(limit=1, name=self.first['name'])
        # The last page may be empty.
        self.assertEqual([1, 1], [len(page) for page in pages[:2]])
        self.assertEqual([], [each for page in pages[2:] for each in page])
        self.assertCountEqual(
            [self.first, self.third], [page[0] for page in pages[:2]]
        )


def _next_query(page: dict[str, ty.Any]) -> dict[str, ty.Any] | None:
    links = page.get('device_contexts_links', [])
    for link in links:
        query = urllib.parse.urlsplit(link['href']).query
        return dict(urllib.parse.parse_qsl(query))
    return None
