# SPDX-License-Identifier: Apache-2.0

"""Why there is no host, as a project reads it."""
