# SPDX-License-Identifier: Apache-2.0

"""The broker, the database server and memcached."""
