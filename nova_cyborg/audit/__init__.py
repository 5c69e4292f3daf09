# SPDX-License-Identifier: Apache-2.0

"""The audit: a file for each subject, with what it finds and the repairs.

To get from the kind of a finding to its repair, look for the kind: the
finding names the function that repairs it, which is in the same file.
"""
