# SPDX-License-Identifier: Apache-2.0

"""What is done with servers while it is measured."""
