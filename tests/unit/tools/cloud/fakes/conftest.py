# SPDX-License-Identifier: Apache-2.0

"""Nova's fake libvirt, without Nova's green threads.

It comes with Nova's tests, which patch the whole process when they are
imported; what runs the tests in parallel would wait for ever then.
"""

from unittest import mock

from nova import monkey_patch

with mock.patch.object(monkey_patch, 'patch'):
    from nova.tests.fixtures import libvirt  # noqa: F401
