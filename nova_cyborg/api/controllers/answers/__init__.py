# SPDX-License-Identifier: Apache-2.0

"""What is answered about device contexts, and changes nothing."""
