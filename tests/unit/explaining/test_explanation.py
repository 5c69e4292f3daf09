# SPDX-License-Identifier: Apache-2.0

"""What is found, with how many questions, and what is said of it."""

import collections
import dataclasses
import urllib.parse

import pytest

from nova_cyborg import model
from nova_cyborg.explaining import (
    explanation,
    requirements,
    search,
    sentences,
)

FITS = sentences.FITS


@dataclasses.dataclass
class Host:
    """A host with one device."""

    devices: dict[str, int]
    traits: tuple[str, ...] = ()
    memory: int = 1024
    host_traits: tuple[str, ...] = (requirements.ABLE,)
    # Whether one group leaves less of a device for the next.
    exact: bool = False


class Placement:
    """Placement, of hosts with a device each."""

    def __init__(self, *hosts):
        self._hosts = hosts
        self.questions = 0

    def resource_classes(self):
        self.questions += 1
        return frozenset({'FPGA', 'PGPU', 'MEMORY_MB', 'VCPU'})

    def offered_traits(self):
        self.questions += 1
        return frozenset(
            name
            for host in self._hosts
            for name in (*host.traits, *host.host_traits)
        )

    def hosts(self, query):
        self.questions += 1
        asked = dict(urllib.parse.parse_qsl(query))
        found = [
            str(number)
            for number, host in enumerate(self._hosts)
            if all(_has(host, key, value) for key, value in asked.items())
            and (not host.exact or _has_together(host, asked))
        ]
        return found[: int(asked['limit'])]


def _has(host, key, value):
    if key == 'resources':
        return all(
            int(item.partition(':')[2]) <= host.memory
            for item in value.split(',')
            if item.startswith('MEMORY_MB')
        )
    if key.startswith('resources'):
        return all(
            host.devices.get(name, 0) >= int(amount)
            for name, _colon, amount in (
                item.partition(':') for item in value.split(',')
            )
        )
    if 'required' in key:
        traits = host.host_traits if key == 'root_required' else host.traits
        return all(
            (name.removeprefix('!') in traits) != name.startswith('!')
            for name in value.split(',')
        )
    return True


def _has_together(host, asked):
    wanted = collections.Counter()
    for key, value in asked.items():
        if key.startswith('resources_'):
            name, _colon, amount = value.partition(':')
            wanted[name] += int(amount)
    return all(host.devices.get(name, 0) >= n for name, n in wanted.items())


def asked(*groups):
    return [
        requirements.Asked(f'group {number}', group)
        for number, group in enumerate(groups)
    ]


def explain(groups, *hosts, counting=False, server=None, units=None):
    return explain_picks(
        [asked(*groups)],
        *hosts,
        counting=counting,
        server=server,
        units=units,
    )


def explain_picks(picks, *hosts, counting=False, server=None, units=None):
    placement = Placement(*hosts)
    found = explanation.explain(
        picks,
        server or requirements.Server(),
        placement,
        units if callable(units) else lambda *_of: units or sentences.Units(),
        counting,
    )
    assert placement.questions <= search.MAX_QUESTIONS
    return found, placement.questions


FPGA = model.Group((('FPGA', 1),))
ONE_UNIT = [Host({'FPGA': 1}, ('CUSTOM_FOO',), exact=True)]


def test_a_host_has_it():
    found, questions = explain([FPGA], Host({'FPGA': 1}))

    assert (found.fits, found.sentence) == (True, FITS)
    assert questions == 3
    assert {row.met for row in found.rows} == {True}
    assert {row.hosts for row in found.rows} == {None}


def test_hosts_are_counted():
    few = [Host({'FPGA': 1}) for _n in range(3)]
    small = Host({'FPGA': 1}, memory=1)

    found, _questions = explain(
        [FPGA],
        *few,
        small,
        counting=True,
        server=requirements.Server((('MEMORY_MB', 512),)),
    )

    assert [row.hosts for row in found.rows] == [4, 3, 3, 3]


@pytest.mark.parametrize('hosts', [10, 10_000])
@pytest.mark.parametrize('counting', [False, True])
def test_as_many_questions_for_any_number_of_hosts(
    monkeypatch, hosts, counting
):
    # However slow what stands for Placement is.
    monkeypatch.setattr(search.time, 'monotonic', lambda: 0.0)
    traits = tuple(f'CUSTOM_{n}' for n in range(50))
    group = dataclasses.replace(FPGA, required=traits, forbidden=('CUSTOM_X',))
    there_are = [Host({'FPGA': 1}, (*traits, 'CUSTOM_X'))] * hosts

    found, questions = explain([group] * 3, *there_are, counting=counting)

    assert questions <= search.MAX_QUESTIONS
    assert 'which is forbidden' in found.sentence


@pytest.mark.parametrize(
    ('units', 'words'),
    [
        (sentences.Units(), 'No device of this cloud is of class FPGA'),
        (sentences.Units(2, 0, 2), 'All units of FPGA are used: '),
        (sentences.Units(2, 2, 1), 'in maintenance: '),
        (sentences.Units(2, 1, 1), 'used, in maintenance or kept back: '),
    ],
)
def test_none_is_free(units, words):
    found, _questions = explain([FPGA], Host({'PGPU': 1}), units=units)

    assert words in found.sentence
    assert [row.met for row in found.rows] == [False, None, None]


def of_devices(*devices):
    """Count units as Cyborg's tables do: of classes, traits and free units."""

    def count(classes, traits):
        found = [
            free
            for names, has, free in devices
            if set(classes) <= set(names) and set(traits) <= set(has)
        ]
        return sentences.Units(
            total=len(found) * 4,
            used=len(found) * 4 - sum(found),
            free=sum(found),
            most=4 if found else 0,
        )

    return count


class TestSeveralClasses:
    both = model.Group((('FPGA', 1), ('PGPU', 1)))

    def test_no_device_is_of_both(self):
        """Both are free, and no waiting would help."""
        found, _questions = explain(
            [self.both],
            Host({'FPGA': 1}),
            Host({'PGPU': 1}),
            units=of_devices((['FPGA'], [], 1), (['PGPU'], [], 1)),
        )

        assert found.sentence == (
            'No one device is of the classes FPGA and PGPU: ask for each in a '
            'group of its own.'
        )

    def test_nor_would_one_be_if_more_were_free(self):
        found, _questions = explain(
            [self.both],
            Host({'PGPU': 1}),
            units=of_devices((['FPGA'], [], 0), (['PGPU'], [], 1)),
        )

        assert found.sentence.startswith('No one device is of the classes')

    def test_there_is_one_that_is_used(self):
        found, _questions = explain(
            [self.both],
            Host({'FPGA': 1}),
            units=of_devices((['FPGA', 'PGPU'], [], 0)),
        )

        assert found.sentence.startswith('All units of PGPU are used')

    def test_there_is_none_of_one(self):
        found, _questions = explain(
            [self.both], Host({}), units=of_devices((['FPGA'], [], 0))
        )

        assert found.sentence.startswith(
            'No device of this cloud is of class PGPU'
        )

    def test_many(self):
        group = model.Group((('FPGA', 1), ('PGPU', 1), ('VCPU', 1)))

        found, _questions = explain(
            [group],
            Host({}),
            units=lambda classes, _t: sentences.Units(total=len(classes) == 1),
        )

        assert 'of the classes FPGA, PGPU and 1 more: ' in found.sentence


class TestTraits:
    """The trait is there, and no device that has it fits."""

    foo = dataclasses.replace(FPGA, required=('CUSTOM_FOO',))
    two = dataclasses.replace(foo, resources=(('FPGA', 2),))

    @pytest.mark.parametrize(
        ('group', 'units', 'words'),
        [
            (
                two,
                sentences.Units(total=1, free=1, most=1),
                'No one device with trait CUSTOM_FOO has 2 FPGA: ask for '
                'fewer, or leave the trait out.',
            ),
            (
                two,
                sentences.Units(total=2, used=1, free=1, most=2),
                'No one device with trait CUSTOM_FOO has 2 FPGA free: ask for '
                'fewer, or leave the trait out.',
            ),
            (
                two,
                sentences.Units(total=2, used=2, most=2),
                'All FPGA with trait CUSTOM_FOO are used: wait until one is '
                'free, or leave the trait out.',
            ),
            (
                foo,
                sentences.Units(total=2, maintained=2, used=1, most=2),
                'All FPGA with trait CUSTOM_FOO are in maintenance: wait '
                'until one is back, or leave the trait out.',
            ),
            (
                foo,
                sentences.Units(total=2, maintained=1, used=1, most=1),
                'All FPGA with trait CUSTOM_FOO are used, in maintenance or '
                'kept back: wait, or leave the trait out.',
            ),
        ],
    )
    def test_what_keeps_them(self, group, units, words):
        found, _questions = explain(
            [group],
            Host({'FPGA': 2}),
            Host({'PGPU': 1}, ('CUSTOM_FOO',)),
            units=units,
        )

        assert found.sentence == words


def test_a_taint():
    group = FPGA.refusing(['ecc-errors'])
    tainted = Host({'FPGA': 1}, ('CUSTOM_TAINT_ECC_ERRORS',))

    found, _questions = explain([group], tainted)

    assert 'is tainted with ecc-errors: tolerate that' in found.sentence


def test_what_no_provider_has_is_not_asked_for():
    group = dataclasses.replace(FPGA, forbidden=('CUSTOM_NONESUCH',))
    wanted = requirements.of_server(asked(group), requirements.Server())

    found = requirements.without_unknown(wanted, {'OWNER_NOVA'})

    assert 'NONESUCH' not in requirements.query(found, 1)
    assert '%21OWNER_NOVA' in requirements.query(found, 1)


def test_what_is_missing_is_said_before_what_is_used():
    missing = dataclasses.replace(FPGA, required=('CUSTOM_NONESUCH',))

    found, _questions = explain([FPGA, missing], Host({'PGPU': 1}))

    assert found.sentence.startswith('Group 1: No device of this cloud has')
    assert [row.met for row in found.rows][:3] == [False, False, False]


def test_a_group_that_is_nowhere_by_itself():
    """Not the host is missing, but the device, though one host has one."""
    two = model.Group((('PGPU', 2),))

    found, _questions = explain(
        [FPGA, two], Host({'FPGA': 1}), Host({'PGPU': 1})
    )

    assert found.sentence.startswith('Group 1: No one device has 2 PGPU free')


def test_groups_of_two_hosts():
    pgpu = model.Group((('PGPU', 1),))

    found, _questions = explain(
        [FPGA, pgpu],
        Host({'FPGA': 1}),
        Host({'PGPU': 1}),
        units=of_devices((['FPGA'], [], 1), (['PGPU'], [], 1)),
    )

    assert 'no single host has all groups' in found.sentence


class TestScarce:
    """Groups that are free one by one, and together nowhere."""

    other = dataclasses.replace(FPGA, required=('CUSTOM_FOO',))

    def test_more_than_there_is_in_the_whole_cloud(self):
        found, _questions = explain(
            [FPGA, FPGA],
            *ONE_UNIT,
            units=of_devices((['FPGA'], [], 1)),
        )

        assert found.sentence == (
            'The groups together ask for more FPGA than are free: ask for '
            'fewer, or wait until more are free.'
        )

    def test_more_with_the_trait(self):
        found, _questions = explain(
            [self.other, self.other],
            *ONE_UNIT,
            units=of_devices((['FPGA'], [], 4), (['FPGA'], ['CUSTOM_FOO'], 1)),
        )

        assert 'ask for more FPGA with trait CUSTOM_FOO than' in found.sentence

    def test_as_many_as_there_are(self):
        found, _questions = explain(
            [FPGA, FPGA], *ONE_UNIT, units=of_devices((['FPGA'], [], 2))
        )

        assert 'no single host has all groups' in found.sentence


def alternatives(*classes):
    """Return the combinations of a group that one of some classes will do."""
    return [
        [
            requirements.Asked(
                requirements.label(0, number, None), model.Group(((name, 1),))
            )
        ]
        for number, name in enumerate(classes)
    ]


def amounts(count):
    """Return combinations, each of which is another question."""
    found = alternatives(*['FPGA'] * count)
    for number, [each] in enumerate(found):
        group = model.Group((('FPGA', number + 1),))
        found[number] = [dataclasses.replace(each, group=group)]
    return found


def others(found):
    """Return what is said of each combination that is not explained."""
    kind = requirements.Kind.ALTERNATIVES
    return [
        (row.requirement, row.met) for row in found.rows if row.kind == kind
    ]


class TestAlternatives:
    def test_a_host_has_the_first(self):
        found, questions = explain_picks(
            alternatives('FPGA', 'PGPU'), Host({'FPGA': 1})
        )

        assert (found.fits, found.sentence) == (True, FITS)
        assert questions == 3
        assert others(found) == [
            ('or all of it with alternative 1 of group 0', None)
        ]

    def test_a_host_has_another(self):
        found, questions = explain_picks(
            alternatives('FPGA', 'PGPU', 'VCPU'), Host({'PGPU': 1})
        )

        assert found.fits
        assert found.sentence == (
            'A host has all of it free, with alternative 1 of group 0.'
        )
        assert questions == 4
        assert found.rows[0].requirement == (
            'alternative 1 of group 0: a device of class PGPU is free'
        )
        assert others(found) == [
            ('or all of it with the first alternatives', False),
            ('or all of it with alternative 2 of group 0', None),
        ]

    def test_no_host_has_any(self):
        found, _questions = explain_picks(
            alternatives('FPGA', 'PGPU'), Host({}), units=sentences.Units(1, 0)
        )

        assert not found.fits
        assert found.sentence.startswith('All units of FPGA are used')
        assert found.sentence.endswith('None of the alternatives fits either.')
        assert others(found) == [
            ('or all of it with alternative 1 of group 0', False)
        ]

    def test_a_class_that_the_cloud_has_not_is_not_asked_for(self):
        found, questions = explain_picks(
            alternatives('CUSTOM_A', 'CUSTOM_B', 'FPGA'), Host({'FPGA': 1})
        )

        assert found.fits
        assert questions == 3

    def test_the_class_is_missing_and_all_others_are_used(self):
        found, _questions = explain_picks(
            alternatives('CUSTOM_A', 'FPGA'), Host({})
        )

        assert found.sentence.startswith(
            'No device of this cloud is of class CUSTOM_A'
        )
        assert others(found) == [
            ('or all of it with alternative 1 of group 0', False)
        ]

    @pytest.mark.parametrize('counting', [False, True])
    def test_there_are_more_than_can_be_looked_into(self, counting):
        found, questions = explain_picks(
            amounts(16),
            Host({}),
            counting=counting,
            units=sentences.Units(1, 0, 1),
        )

        assert questions == search.MAX_QUESTIONS
        assert found.fits is None
        assert found.sentence == (
            'No host has all of it free with the first alternatives; explain '
            'them by themselves to be told why. Not all of the alternatives '
            'were looked into, so another one may fit.'
        )
        looked_into = [met for _words, met in others(found)]
        assert looked_into == [False] * 9 + [None] * 6

    @pytest.mark.parametrize('free', range(1, 10))
    def test_only_one_fits_whichever(self, free):
        """As many as a group may have are all looked into, and two more."""
        picks = amounts(10)
        (each,) = picks[free]
        picks[free] = [
            dataclasses.replace(each, group=model.Group((('PGPU', 1),)))
        ]

        found, _questions = explain_picks(picks, Host({'PGPU': 1}))

        assert found.fits
        assert f'with alternative {free} of group 0' in found.sentence

    def test_none_fits_of_as_many_as_a_group_may_have(self):
        found, _questions = explain_picks(
            amounts(8), Host({}), units=sentences.Units(1, 0, 1)
        )

        assert found.fits is False
        # The reason is found with what is left of the questions.
        assert found.sentence == (
            'All units of FPGA are used: wait until one is free, or ask for '
            'another class. None of the alternatives fits either.'
        )

    def test_two_groups(self):
        one, other = (
            [
                requirements.Asked(
                    requirements.label(number, alternative, None),
                    model.Group(((name, 1),)),
                )
                for alternative, name in enumerate(['FPGA', 'PGPU'])
            ]
            for number in range(2)
        )
        picks = [
            [one[0], other[0]],
            [one[0], other[1]],
            [one[1], other[0]],
            [one[1], other[1]],
        ]

        found, _questions = explain_picks(picks, Host({'PGPU': 2}))

        assert found.sentence == (
            'A host has all of it free, with alternative 1 of group 0 and '
            'alternative 1 of group 1.'
        )


def test_placement_is_slow(monkeypatch):
    monkeypatch.setattr(search, 'MAX_SECONDS', -1)

    found, questions = explain([FPGA], Host({}))

    assert (questions, found.sentence) == (2, sentences.UNDECIDED)
    assert found.fits is None


@pytest.mark.parametrize(
    ('hosts', 'reason'),
    [
        ([Host({'FPGA': 1})], 'filters'),
        ([Host({'PGPU': 1})], 'resource_class'),
        ([Host({'FPGA': 1}, host_traits=())], 'host_able'),
    ],
)
def test_why_in_a_word(hosts, reason):
    found, _questions = explain([FPGA], *hosts)

    assert found.reason == reason


def test_why_is_not_known(monkeypatch):
    monkeypatch.setattr(search, 'MAX_QUESTIONS', 3)

    found, _questions = explain([FPGA], Host({}))

    assert found.reason == 'unknown'


def test_there_is_no_time_for_why(monkeypatch):
    monkeypatch.setattr(search, 'MAX_QUESTIONS', 3)

    found, questions = explain([FPGA], Host({}))

    assert (questions, found.sentence) == (3, sentences.UNKNOWN)
    assert found.fits is False


@pytest.mark.parametrize('name', ['CUSTOM_' + 'A' * 248])
def test_a_sentence_fits_into_a_fault_of_nova(name):
    long = model.Group(((name, 1),), required=(name,))

    for group, units in (
        (long, sentences.Units()),
        (dataclasses.replace(FPGA, required=(name,)), sentences.Units(1)),
    ):
        found, _questions = explain(
            [group], Host({'FPGA': 1}), Host({}, (name,)), units=units
        )
        assert len('No valid host was found. ' + found.sentence) <= 255


def test_the_name_of_a_device_context_is_cut():
    groups = [
        requirements.Asked(f'group 0 of {name * 255}', FPGA) for name in 'ab'
    ]

    found = explanation.explain(
        [groups],
        requirements.Server(),
        Placement(Host({}, ('CUSTOM_X',))),
        lambda _classes, _traits: sentences.Units(),
    )

    assert 'Group 0 of aaa' in found.sentence
    assert '...: No device of this cloud is of class FPGA' in found.sentence
    assert len('No valid host was found. ' + found.sentence) <= 255


def test_what_nova_asks_is_read():
    uuid = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'
    name = model.requester_id(uuid, 1)
    query = urllib.parse.urlencode(
        [
            ('limit', '1000'),
            ('group_policy', 'none'),
            (f'resources{name}', 'FPGA:2'),
            (f'required{name}', 'CUSTOM_FOO,!CUSTOM_BAR,!OWNER_NOVA'),
            ('resources', 'MEMORY_MB:512,VCPU:1'),
            ('required', 'HW_CPU_X86_AVX'),
            ('root_required', 'COMPUTE_ACCELERATORS,!CUSTOM_X'),
            ('member_of', 'in:a,b'),
            ('member_of', 'in:c'),
            ('resources_port', 'NET_BW_EGR_KILOBIT_PER_SEC:1'),
        ]
    )

    groups, server = requirements.read(query, {uuid: 'zip'})
    wanted = requirements.of_server(groups, server)

    assert [each.label for each in groups] == ['group 1']
    kind = requirements.Kind
    assert [each.kind for each in wanted] == [
        kind.RESOURCE_CLASS,
        kind.AMOUNT,
        kind.TRAIT,
        kind.FORBIDDEN_TRAIT,
        kind.FLAVOR_RESOURCE,
        kind.FLAVOR_RESOURCE,
        kind.HOST_TRAIT,
        kind.FORBIDDEN_HOST_TRAIT,
        kind.HOST_ABLE,
        kind.OTHER,
        kind.PLACE,
    ]
    again = urllib.parse.parse_qsl(requirements.query(wanted, 1))
    assert sorted(value for key, value in again if key == 'member_of') == [
        'in:a,b',
        'in:c',
    ]
    assert ('resources_0', 'FPGA:2') in again
    assert ('resources_port', 'NET_BW_EGR_KILOBIT_PER_SEC:1') in again
