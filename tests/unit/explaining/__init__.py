# SPDX-License-Identifier: Apache-2.0

"""Why no host has what is asked for."""
