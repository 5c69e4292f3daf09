# SPDX-License-Identifier: Apache-2.0

"""Making the guest's image of the distribution's packages."""
