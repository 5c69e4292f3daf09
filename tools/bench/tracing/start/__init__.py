# SPDX-License-Identifier: Apache-2.0

"""The folder that is put on the path of services that are measured."""
