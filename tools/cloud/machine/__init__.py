# SPDX-License-Identifier: Apache-2.0

"""The machine around a cloud: its packages, files, ports and Python."""
