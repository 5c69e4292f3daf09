# SPDX-License-Identifier: Apache-2.0

"""Hidden device profiles."""

from cyborg.db.sqlalchemy import models

from tests.functional.audit.rows import add_profile


def test_a_profile_of_no_arq(cloud, run, running):
    add_profile(cloud)

    assert run(repair=True) == (0, ['profile-of-no-arq'])
    assert run() == (0, [])
    # That of the server is used, and stays.
    assert cloud.count(models.DeviceProfile) == 1
