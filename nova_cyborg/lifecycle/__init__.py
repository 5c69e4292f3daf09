# SPDX-License-Identifier: Apache-2.0

"""What happens to device contexts: bound, unbound, released, healed.

For the API, the audit and the commands alike: nothing here knows of requests
or of command lines. Nova and Placement are asked from here.
"""
