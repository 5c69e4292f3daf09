# SPDX-License-Identifier: Apache-2.0

"""Accelerator requests (ARQs), as the API of Cyborg has them."""
