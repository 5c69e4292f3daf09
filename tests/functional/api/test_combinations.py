# SPDX-License-Identifier: Apache-2.0

"""What a server costs Placement is read from Cyborg's own tables."""

import pytest

GZIP = 'CUSTOM_FPGA_GZIP'
TRAIT = 'CUSTOM_FAST'


@pytest.fixture
def cards(cloud):
    """Puts cards into hosts; returns the UUIDs of their providers."""

    def _cards(number, host='compute1', slots=1, **fields):
        fields = {'resource_class': GZIP} | fields
        return [
            cloud.add_device(slots, host=host, **fields)
            for _n in range(number)
        ]

    return _cards


@pytest.fixture
def numbers(nova):
    """Asks for device contexts; returns both numbers."""

    def _numbers(*uuids, **more):
        found = nova.check(*uuids, **more).json['combinations']
        return found['plain'], found['pruned']

    return _numbers


def test_equal_groups_on_two_hosts(cards, member, numbers):
    cards(3)
    cards(4, host='compute2', slots=2)
    cards(5, resource_class='GPU')
    group = {'resources': {'FPGA_GZIP': 1}}
    contexts = [member.create_one(), member.create(groups=[group] * 2)]
    one, two = contexts[0], contexts[1].json['uuid']

    assert numbers(one) == (0, 0)
    assert numbers(two) == (3**2 + 4**2, 0)
    assert numbers(one, two) == (3**3 + 4**3, 0)


def test_traits_and_amounts(cards, member, numbers):
    cards(2, slots=2, traits=['CUSTOM_OTHER', TRAIT])
    cards(3, slots=2)
    cards(4, traits=[TRAIT])
    with_it = member.create_one(resources={'FPGA_GZIP': 2}, required=['FAST'])
    without_it = member.create_one(
        resources={'FPGA_GZIP': 2}, forbidden=['FAST']
    )
    any_of_them = member.create_one()

    assert numbers(with_it, without_it) == (2 * 3, 0)
    assert numbers(with_it, any_of_them) == (2 * 9, 2 * 9)


def test_what_is_used_does_not_count(cards, boot, member, numbers):
    first, *_others = cards(3)
    two = [member.create_one() for _n in range(2)]
    assert numbers(*two) == (9, 0)

    boot(first)

    assert numbers(*two) == (4, 0)


def test_all_who_ask_are_told(cloud, cards, member, nova):
    cards(3)
    two = [member.create_one() for _n in range(2)]
    server_id = cloud.nova.boot()
    expected = {'plain': 9, 'pruned': 0}

    reserved = nova.reserve(server_id, *two).json
    assert reserved['combinations'] == expected
    assert nova.begin(server_id).json['combinations'] == expected
    assert 'combinations' not in nova.allocation(server_id).json


def test_the_profile_of_the_flavor_counts(
    cloud, cards, admin, member, nova, numbers
):
    cards(3)
    groups = [{f'resources:{GZIP}': '1', 'accel:bitstream_id': 'x'}] * 2
    admin.post('/v2/device_profiles', [{'name': 'gzip', 'groups': groups}])
    one = member.create_one()
    server_id = cloud.nova.boot()
    expected = {'plain': 27, 'pruned': 0}

    assert numbers(one, device_profile='gzip') == (27, 0)
    reserved = nova.reserve(server_id, one, device_profile='gzip').json
    assert reserved['combinations'] == expected
    begun = nova.begin(server_id, device_profile='gzip').json
    assert begun['combinations'] == expected
    # Nova says that there is none.
    assert numbers(one, device_profile='no such profile') == (0, 0)


def test_what_the_flavor_asks_for_by_itself_counts(
    cloud, cards, member, nova, numbers
):
    cards(3)
    one, two = (member.create_one() for _n in range(2))
    flavor = {'flavor_resources': [{GZIP: 1}, {'VCPU': 4}]}
    server_id = cloud.nova.boot()
    expected = {'plain': 27, 'pruned': 0}

    assert numbers(one, **flavor) == (9, 0)
    reserved = nova.reserve(server_id, one, two, **flavor).json
    assert reserved['combinations'] == expected
    assert nova.begin(server_id, **flavor).json['combinations'] == expected


def test_a_class_that_is_no_device_of_cyborgs(cards, member, numbers):
    cards(3)
    gzips = [member.create_one() for _n in range(2)]
    others = [member.create_one(resources={'LICENSE': 1}) for _n in range(2)]

    assert numbers(*others) == (0, 0)
    assert numbers(*gzips, *others) == (9, 0)


def test_it_is_one_statement_more(cloud, cards, member, nova):
    def statements(*uuids):
        with cloud.statements() as sent:
            nova.check(*uuids)
        return len(sent)

    contexts = [member.create_one() for _n in range(5)]
    cards(2)
    alone = statements(contexts[0])
    assert statements(*contexts) == alone + 1
    cards(20, host='compute2')
    assert statements(*contexts) == alone + 1
