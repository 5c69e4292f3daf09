# SPDX-License-Identifier: Apache-2.0

"""Device contexts whose groups list what else would do."""
