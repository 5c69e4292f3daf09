# SPDX-License-Identifier: Apache-2.0

"""What only few runs need; none of it runs on the embedded cloud."""
