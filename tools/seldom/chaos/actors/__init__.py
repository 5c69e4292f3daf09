# SPDX-License-Identifier: Apache-2.0

"""Who does something: project members, an administrator, a saboteur."""
