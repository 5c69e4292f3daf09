# SPDX-License-Identifier: Apache-2.0

"""From options to request groups."""

import argparse
import typing as ty

import pytest
from osc_lib import exceptions as osc_exc

from nova_cyborg.cli import groups, options


def parse(*argv: str) -> list[dict[str, ty.Any]]:
    parser = argparse.ArgumentParser()
    options.add_create_options(parser)
    return groups.parse(groups.sources(parser.parse_args(argv)))


def group(**fields: ty.Any) -> dict[str, ty.Any]:
    return {
        'resources': {},
        'required': [],
        'forbidden': [],
        'config': {},
    } | fields


def test_the_request_of_the_documentation() -> None:
    sent = parse(
        '--resources=FPGA_GZIP:1',
        '--requires=SOME_FOO_CAPABILITY',
        '--config-data=key1:val1',
    )
    assert sent == [
        group(
            resources={'CUSTOM_FPGA_GZIP': 1},
            required=['CUSTOM_SOME_FOO_CAPABILITY'],
            config={'key1': 'val1'},
        )
    ]


def test_options_repeat_and_take_lists() -> None:
    sent = parse(
        *('--resources', 'FPGA:1,VGPU:2', '--resources', 'A:3'),
        *('--requires', 'T1,T2', '--requires', 'T3'),
        *('--forbids', 'T4, T5', '--forbids', 'T6'),
        *('--config-data', 'a:1', '--config-data', 'b:2'),
    )
    assert sent == [
        group(
            resources={'CUSTOM_A': 3, 'FPGA': 1, 'VGPU': 2},
            required=['CUSTOM_T1', 'CUSTOM_T2', 'CUSTOM_T3'],
            forbidden=['CUSTOM_T4', 'CUSTOM_T5', 'CUSTOM_T6'],
            config={'a': '1', 'b': '2'},
        )
    ]


@pytest.mark.parametrize('value', ['', 'b:c', 'b,c:d', 'x=y; z'])
def test_all_after_the_first_colon_is_the_config_value(value: str) -> None:
    sent = parse('--resources', 'FPGA:1', '--config-data', f'a:{value}')
    assert sent[0]['config'] == {'a': value}


def test_groups_follow_the_first_in_order() -> None:
    sent = parse(
        *('--resources', 'FPGA:1'),
        *(
            '--group',
            'resources=VGPU:1,A:2; requires=T1,T2; forbids=T3; config=a:b:c;'
            'config-data=d:e',
        ),
        *('--group', 'resources=PGPU:1'),
    )
    assert sent == [
        group(resources={'FPGA': 1}),
        group(
            resources={'CUSTOM_A': 2, 'VGPU': 1},
            required=['CUSTOM_T1', 'CUSTOM_T2'],
            forbidden=['CUSTOM_T3'],
            config={'a': 'b:c', 'd': 'e'},
        ),
        group(resources={'PGPU': 1}),
    ]


def test_groups_alone_are_enough() -> None:
    sent = parse('--group', 'resources=PGPU:1')
    assert sent == [group(resources={'PGPU': 1})]


def test_what_else_would_do_follows_its_group() -> None:
    sent = parse(
        *('--resources', 'FPGA:1', '--or', 'resources=A:1; requires=T1'),
        *('--group', 'resources=PGPU:1'),
        *('--group', 'resources=B:1', '--or', 'resources=C:1'),
        *('--or', 'resources=D:1'),
        *('--requires', 'T2'),
    )
    assert sent == [
        {
            'first_available': [
                group(resources={'FPGA': 1}, required=['CUSTOM_T2']),
                group(resources={'CUSTOM_A': 1}, required=['CUSTOM_T1']),
            ]
        },
        group(resources={'PGPU': 1}),
        {
            'first_available': [
                group(resources={f'CUSTOM_{name}': 1}) for name in 'BCD'
            ]
        },
    ]


FPGA = ('--resources', 'FPGA:1')


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (('--resources', 'FPGA'), '--resources: "FPGA" has no amount'),
        (('--resources', 'FPGA:1,'), '--resources: "" has no amount'),
        (('--resources', ':1'), '--resources: ":1" has no resource class'),
        (('--resources', 'FPGA:x'), '"x", the amount of FPGA, is not a whole'),
        (('--resources', 'FPGA:1.5'), 'is not a whole number'),
        (('--resources', 'FPGA:'), 'is not a whole number'),
        (('--resources', f'FPGA:{"9" * 5000}'), 'is not a whole number'),
        (('--resources', 'FPGA:0'), '--resources: FPGA: 0 is not between 1'),
        (('--resources', 'FPGA:-1'), '--resources: FPGA: -1 is not between'),
        ((*FPGA, *FPGA), '--resources: FPGA is given twice'),
        (('--resources', 'A:1,CUSTOM_A:1'), '--resources: CUSTOM_A is given'),
        (('--resources', 'VCPU:1'), '--resources: VCPU is not the resource'),
        (('--resources', 'A-B:1'), '--resources: "A-B" has characters'),
        (
            ('--resources', f'{"A" * 256}:1'),
            '--resources: is 256 characters long',
        ),
        (('--resources', 'FPGÄ:1'), '--resources: must be printable ASCII'),
        (('--requires', 'T1'), '--resources: at least one resource'),
        ((*FPGA, '--requires', 'T-1'), '--requires: "T-1" has characters'),
        ((*FPGA, '--requires', 'A,'), '--requires: must not be empty'),
        ((*FPGA, '--forbids', 'T-1'), '--forbids: "T-1" has characters'),
        (
            (*FPGA, '--requires', 'A', '--forbids', 'CUSTOM_A'),
            '--forbids: trait CUSTOM_A is both required and forbidden',
        ),
        ((*FPGA, '--config-data', 'a'), '--config-data: "a" is not of'),
        ((*FPGA, '--config-data', ':a'), '--config-data: must not be empty'),
        (
            (*FPGA, '--config-data', 'a:1', '--config-data', 'a:2'),
            '--config-data: a is given twice',
        ),
        (
            (*FPGA, '--config-data', 'a:' + 'x' * 2000),
            '--config-data: a: is 2000 characters long',
        ),
        (('--group', 'VGPU:1'), '--group "VGPU:1": "VGPU:1" is none of'),
        (('--group', 'traits=A'), '--group "traits=A": "traits=A" is none of'),
        (
            (*FPGA, '--group', 'resources=A:1', '--group', 'resources=B:0'),
            '--group "resources=B:0": resources: CUSTOM_B: 0 is not between',
        ),
        (
            ('--group', 'resources=A:1;config=b'),
            '--group "resources=A:1;config=b": config-data: "b" is not of',
        ),
        (('--group', ''), '--group "": resources: at least one resource'),
        (('--group', 'resources=A:1') * 17, '--group: 17 groups are given'),
        (
            ('--or', 'resources=A:1', '--group', 'resources=B:1'),
            '--or "resources=A:1": no group is before it',
        ),
        ((*FPGA, '--or', 'A:1'), '--or "A:1": "A:1" is none of'),
        (
            (*FPGA, '--or', 'resources=B:0'),
            '--or "resources=B:0": resources: CUSTOM_B: 0 is not between',
        ),
        (
            ('--resources', 'FPGA:0', '--or', 'resources=B:1'),
            '--resources: FPGA: 0 is not between',
        ),
        (
            (*FPGA, *('--or', 'resources=A:1') * 8),
            '--or: 9 alternatives are given, 8 are allowed',
        ),
        (
            (*FPGA, '--or', 'resources=A:1')
            + ('--group', 'resources=A:1', '--or', 'resources=B:1') * 4,
            '--group: their alternatives make 32 combinations, 16 are',
        ),
    ],
)
def test_errors_speak_of_the_option(
    argv: tuple[str, ...], message: str
) -> None:
    with pytest.raises(osc_exc.CommandError) as raised:
        parse(*argv)
    assert message in str(raised.value)
