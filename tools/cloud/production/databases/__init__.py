# SPDX-License-Identifier: Apache-2.0

"""How the databases of the production-like cloud get their tables."""
