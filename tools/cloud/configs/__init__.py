# SPDX-License-Identifier: Apache-2.0

"""What the configuration files of the services have in them."""
