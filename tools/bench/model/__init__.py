# SPDX-License-Identifier: Apache-2.0

"""What is measured: words and numbers, without what measures them."""
