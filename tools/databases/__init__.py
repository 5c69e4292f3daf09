# SPDX-License-Identifier: Apache-2.0

"""Runs functional tests on MariaDB and on PostgreSQL."""
