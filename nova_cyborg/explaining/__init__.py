# SPDX-License-Identifier: Apache-2.0

"""Why no host has what is asked for: pure, but for questions it is handed.

What is asked for is a row of requirements. Each leaves fewer hosts, or as
many: the first one that leaves none is the reason, and is found by halving.
"""
