# SPDX-License-Identifier: Apache-2.0

"""What is done with a server that runs."""
