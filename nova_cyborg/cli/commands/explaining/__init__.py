# SPDX-License-Identifier: Apache-2.0

"""Commands that say what can be asked for, how much, and why it is not had."""
