# SPDX-License-Identifier: Apache-2.0

"""Some hundred requests that are made from the document; all in __main__."""

from tests.fuzz import campaign, world  # isort: skip - first

import pytest


@pytest.mark.parametrize('persona', world.PERSONAS, ids=lambda each: each.name)
def test_a_short_campaign(persona):
    outcome = campaign.run(persona, campaign.SHORT)

    assert not outcome.findings
    assert outcome.requests > 50
    # They are not all refused.
    assert any(status < 300 for _name, status in outcome.answered)
