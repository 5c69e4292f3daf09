# SPDX-License-Identifier: Apache-2.0

"""What ``up`` does, from written files to a cloud that can be used."""
