# SPDX-License-Identifier: Apache-2.0

"""What becomes of events that are recorded: sent, counted, deleted in time."""
