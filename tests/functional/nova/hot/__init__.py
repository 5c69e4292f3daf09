# SPDX-License-Identifier: Apache-2.0

"""Device contexts that come to a server that exists, and go."""
