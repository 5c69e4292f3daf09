# SPDX-License-Identifier: Apache-2.0

"""Why no host has what device contexts ask for, as the cloud is now."""
