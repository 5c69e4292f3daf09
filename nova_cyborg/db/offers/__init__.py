# SPDX-License-Identifier: Apache-2.0

"""What devices there are to be asked for, added up from Cyborg's tables."""
