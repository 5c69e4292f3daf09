# SPDX-License-Identifier: Apache-2.0

"""Which releases of the services are meant."""

import pytest
from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks import releases


@pytest.mark.parametrize(
    ('supported', 'release', 'code'),
    [
        (releases.NOVA, '30.2.1', 'FAILURE'),
        (releases.NOVA, '31.0.0', 'SUCCESS'),
        (releases.NOVA, '34.0.0', 'SUCCESS'),
        (releases.NOVA, '34.1.0.dev12', 'SUCCESS'),
        (releases.NOVA, '35.0.0', 'WARNING'),
        (releases.CYBORG, '14.0.0', 'FAILURE'),
        (releases.CYBORG, '14.1.0', 'SUCCESS'),
        (releases.CYBORG, '15.0.0', 'FAILURE'),
        (releases.CYBORG, '15.0.1', 'SUCCESS'),
        (releases.CYBORG, '16.0.0', 'FAILURE'),
        (releases.CYBORG, '17.0.0', 'SUCCESS'),
        (releases.CYBORG, '18.0.0', 'WARNING'),
    ],
)
def test_a_release_is_judged(supported, release, code):
    result = releases.judge(supported, release)

    assert result.code is upgradecheck.Code[code]
    assert f'{supported.service} {release} ' in result.details


def test_what_does_not_do_is_told_with_what_does():
    result = releases.judge(releases.CYBORG, '15.0.0')

    assert '14.1 to 17, without 15.0.0 and 16.0.0' in result.details


def test_a_package_without_metadata_is_a_warning():
    unknown = releases.Supported('Example', 'no-such-package', (1,), 2)

    result = releases.check(unknown)

    assert result.code is upgradecheck.Code.WARNING
    assert 'no-such-package' in result.details
    assert '1 to 2' in result.details


def test_what_setup_cfg_asks_for_is_the_same():
    import importlib.metadata

    wanted = importlib.metadata.requires('nova-cyborg')

    assert any(line.startswith('nova>=31') for line in wanted)
    cyborgs = [each for each in wanted if 'openstack-cyborg' in each]
    assert cyborgs
    for cyborg in cyborgs:
        assert '>=14.1' in cyborg
        for release in releases.CYBORG.broken:
            assert f'!={release}' in cyborg
