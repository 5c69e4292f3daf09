# SPDX-License-Identifier: Apache-2.0

"""What is counted: what the clients saw, and what the databases have."""
