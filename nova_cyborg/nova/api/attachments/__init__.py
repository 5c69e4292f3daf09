# SPDX-License-Identifier: Apache-2.0

"""nova-api: device contexts that a server gets, and loses, while it exists.

As ports (os-interface) and volumes (os-volume_attachments) have it.
"""
