# SPDX-License-Identifier: Apache-2.0

"""What placement.conf is to have; how it is read is tested elsewhere."""

from importlib import metadata

import pytest
from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks import placement_side


@pytest.fixture
def pruning(tmp_path):
    path = tmp_path / 'placement.conf'
    path.write_text(
        '[placement]\n'
        'max_allocation_candidates = 500\n'
        'allocation_candidates_generation_strategy = breadth-first\n'
        '[workarounds]\n'
        'optimize_for_wide_provider_trees = true\n'
    )
    placement_side.prepare([str(path)])


@pytest.mark.parametrize(
    ('found', 'code', 'part'),
    [
        ('16.0.0', 'SUCCESS', 'Placement 16.0.0 prunes'),
        ('17.0.0.0rc1', 'SUCCESS', 'Placement 17.0.0.0rc1 prunes'),
        # It takes no notice of options that it does not know.
        ('15.0.1', 'WARNING', 'Placement 15.0.1 does not know all'),
        (None, 'SUCCESS', 'Placement, from 16 on, prunes'),
    ],
)
def test_the_release(pruning, monkeypatch, found, code, part):
    def version(name):
        assert name == 'openstack-placement'
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, 'version', version)

    result = placement_side.prunes()

    assert result.code is upgradecheck.Code[code]
    assert part in result.details
