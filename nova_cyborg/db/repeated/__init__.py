# SPDX-License-Identifier: Apache-2.0

"""Requests that come more than once."""
