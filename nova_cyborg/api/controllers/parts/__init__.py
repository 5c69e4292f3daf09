# SPDX-License-Identifier: Apache-2.0

"""Controllers of what belongs to one device context."""
