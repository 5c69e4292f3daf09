# SPDX-License-Identifier: Apache-2.0

"""The limits of projects, where they come from."""
