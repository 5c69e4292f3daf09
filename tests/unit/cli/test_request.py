# SPDX-License-Identifier: Apache-2.0

"""From options to bodies and queries."""

import argparse
import typing as ty

import pytest
from osc_lib import exceptions as osc_exc

from nova_cyborg.cli import options, request


def body(*argv: str) -> dict[str, ty.Any]:
    parser = argparse.ArgumentParser()
    options.add_create_options(parser)
    return request.create_body(parser.parse_args(argv))


def query(*argv: str) -> dict[str, ty.Any]:
    parser = argparse.ArgumentParser()
    options.add_list_options(parser)
    return request.list_query(parser.parse_args(argv))


def test_groups() -> None:
    group = {'required': [], 'forbidden': [], 'config': {}}
    sent = body('--resources', 'FPGA:1', '--group', 'resources=PGPU:2')
    assert sent == {
        'groups': [
            group | {'resources': {'FPGA': 1}},
            group | {'resources': {'PGPU': 2}},
        ]
    }


@pytest.mark.parametrize('option', ['--device-profile', '--device-profile-id'])
def test_a_profile_instead_of_groups(option: str) -> None:
    assert body(option, 'gzip') == {'device_profile': 'gzip'}


def test_plain_fields() -> None:
    sent = body(
        *('--device-profile', 'p', '--name', 'n', '--description', ''),
        *('--keep-on-termination', '--live-migration', 'native'),
        *('--tag', 'gzip'),
    )
    assert sent == {
        'device_profile': 'p',
        'name': 'n',
        # An empty one is none.
        'description': None,
        'delete_on_termination': False,
        'live_migration': 'native',
        'tag': 'gzip',
    }


FPGA = ('--resources', 'FPGA:1')


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        ((), 'Say what the device must have: --resources'),
        ((*FPGA, '--device-profile', 'p'), '--device-profile: cannot be used'),
        (
            ('--group', 'resources=A:1', '--device-profile', 'p'),
            '--device-profile: cannot be used',
        ),
        ((*FPGA, '--requires', 'T-1'), '--requires: "T-1" has characters'),
    ],
)
def test_what_makes_no_request_is_refused(
    argv: tuple[str, ...], message: str
) -> None:
    with pytest.raises(osc_exc.CommandError) as raised:
        body(*argv)
    assert message in str(raised.value)


def test_a_list_without_options_has_no_query() -> None:
    assert query() == {}


def test_all_options_of_a_list() -> None:
    sent = query(
        *('--status', 'bound', '--name', 'n', '--tag', 't'),
        *('--all-projects', '--limit', '5'),
        *('--sort', 'name:desc'),
    )
    assert sent == {
        'status': 'bound',
        'name': 'n',
        'tag': 't',
        'all_projects': 'true',
        'limit': 5,
        'sort_key': 'name',
        'sort_dir': 'desc',
    }


def test_sort_without_direction() -> None:
    assert query('--sort', 'name') == {'sort_key': 'name'}


def test_an_unknown_sort_direction_is_refused() -> None:
    with pytest.raises(osc_exc.CommandError, match='"up" is neither'):
        query('--sort', 'name:up')


@pytest.mark.parametrize(
    'limit', ['0', '-1', 'x', '1.5', '1000000000', '9' * 5000]
)
def test_a_limit_that_is_none_is_refused(
    limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        query(f'--limit={limit}')
    error = capsys.readouterr().err
    assert 'argument --limit: ' in error
    assert 'is not a whole number from 1 to 999999999' in error
