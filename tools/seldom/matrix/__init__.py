# SPDX-License-Identifier: Apache-2.0

"""The tests with each supported release of OpenStack."""
