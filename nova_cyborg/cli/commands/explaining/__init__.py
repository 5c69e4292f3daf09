# SPDX-License-Identifier: Apache-2.0

"""Commands that say what there is to ask for, and why it is not there."""
