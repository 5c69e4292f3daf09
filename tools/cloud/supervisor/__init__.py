# SPDX-License-Identifier: Apache-2.0

"""A cloud's processes: supervisord, which runs them, and their logs."""
