# SPDX-License-Identifier: Apache-2.0

"""Device contexts and slots of a server that vanished."""

import pytest

from tests.functional.api.conftest import held, providers, wait_for_status


class TestHolderIsGone:
    """Nova does not wait for Cyborg when it deletes a server."""

    @pytest.fixture
    def left(self, cloud, boot):
        """A server that vanished, and its device contexts."""
        server_id, *uuids = boot(cloud.add_device(), contexts=2)
        cloud.nova.delete(server_id)
        return server_id, *uuids

    def test_another_server_gets_what_it_held(self, cloud, member, nova, left):
        gone, asked, other = left
        server_id = cloud.nova.boot()

        answer = nova.reserve(server_id, asked)

        # It was asked for, so it is not deleted with the server.
        assert held(answer) == [asked]
        assert member.status_of(other) == 'available'
        assert cloud.used_slots() == 0
        nova.allocation(gone, status=404)

    def test_what_several_held(self, cloud, member, nova, boot):
        lost = [boot(cloud.add_device()) for _n in range(2)]
        for server_id, _uuid in lost:
            cloud.nova.delete(server_id)
        uuids = [uuid_ for _server, uuid_ in lost]

        assert held(nova.reserve(cloud.nova.boot(), *uuids)) == uuids

    def test_the_project_deletes_what_it_held(self, cloud, member, left):
        _gone, asked, other = left

        member.delete(asked, status=204)

        member.show(asked, status=404)
        assert member.status_of(other) == 'available'
        assert cloud.used_slots() == 0

    def test_another_gets_its_slot(self, cloud, member, nova, boot):
        provider = cloud.add_device(slots=1)
        gone, lost = boot(provider)
        cloud.nova.delete(gone)
        server_id, uuid_ = boot()

        nova.bind(server_id, providers(provider, uuid_))

        wait_for_status(member, uuid_, 'bound')
        member.show(lost, status=404)
        nova.allocation(gone, status=404)
        assert cloud.used_slots() == 1

    def test_its_slot_is_left_while_there_is_another(
        self, cloud, member, nova, boot, monkeypatch
    ):
        provider = cloud.add_device(slots=2)
        gone, lost = boot(provider)
        cloud.nova.delete(gone)
        # Asking costs time.
        monkeypatch.setattr(cloud.nova, 'get', None)

        boot(provider)

        assert member.status_of(lost) == 'bound'
        assert cloud.used_slots() == 2

    @pytest.mark.parametrize('status_code', [200, 503])
    def test_no_slot_is_taken_from_another_server(
        self, cloud, member, nova, boot, status_code
    ):
        provider = cloud.add_device(slots=1)
        _holder, held_ = boot(provider)
        server_id, uuid_ = boot()
        cloud.nova.status_code = status_code

        nova.bind(server_id, providers(provider, uuid_))
        cloud.drain()

        assert member.status_of(held_) == 'bound'
        assert member.status_of(uuid_) == 'error'
        assert cloud.used_slots() == 1

    def test_nova_is_asked_once_if_it_does_not_say(
        self, cloud, member, nova, boot
    ):
        provider = cloud.add_device(slots=2)
        for _n in range(2):
            boot(provider)
        server_id, uuid_ = boot()
        cloud.nova.status_code = 503
        asked = cloud.nova.requests

        nova.bind(server_id, providers(provider, uuid_))
        cloud.drain()

        assert member.status_of(uuid_) == 'error'
        assert cloud.nova.requests == asked + 1

    def test_nova_has_lost_it(self, cloud, member, nova, boot):
        lost, asked = boot()
        cloud.nova.lose(lost)

        nova.reserve(cloud.nova.boot(), asked, status=200)

        nova.allocation(lost, status=404)

    def test_nova_hides_it_and_lists_it(self, cloud, member, nova, boot):
        holder, asked = boot()
        cloud.nova.administrator = False
        cloud.nova.may_list = True

        nova.reserve(cloud.nova.boot(), asked, status=409)

        assert held(nova.allocation(holder)) == [asked]

    @pytest.mark.parametrize('status_code', [401, 503])
    def test_nothing_is_taken_if_nova_does_not_say(
        self, cloud, member, nova, left, status_code
    ):
        _gone, asked, _other = left
        cloud.nova.status_code = status_code

        nova.reserve(cloud.nova.boot(), asked, status=409)
        member.delete(asked, status=409)

        assert member.status_of(asked) == 'bound'
        assert cloud.used_slots() == 2

    @pytest.mark.parametrize('how', ['hidden', 'soft-deleted', 'deleting'])
    def test_nothing_is_taken_from_a_server_that_is_there(
        self, cloud, member, nova, boot, how
    ):
        holder, asked = boot(cloud.add_device())
        if how == 'hidden':
            cloud.nova.administrator = False
        elif how == 'soft-deleted':
            cloud.nova.change(holder, 'SOFT_DELETED')
        else:
            cloud.nova.change(holder, 'ACTIVE', 'deleting')

        nova.reserve(cloud.nova.boot(), asked, status=409)
        member.delete(asked, status=409)

        assert member.status_of(asked) == 'bound'
        assert cloud.used_slots() == 1

    def test_a_stranger_does_not_set_it_off(
        self, cloud, member, stranger, left
    ):
        _gone, asked, _other = left

        stranger.delete(asked, status=404)

        assert member.status_of(asked) == 'bound'
