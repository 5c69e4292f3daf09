# SPDX-License-Identifier: Apache-2.0

"""The services' processes; the supervisor starts one for each."""
