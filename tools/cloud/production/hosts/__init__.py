# SPDX-License-Identifier: Apache-2.0

"""What runs on the compute hosts of the production-like cloud."""
