# SPDX-License-Identifier: Apache-2.0

"""What a cloud is: its kind, settings, folder, programs and addresses."""
