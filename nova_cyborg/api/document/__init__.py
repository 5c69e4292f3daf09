# SPDX-License-Identifier: Apache-2.0

"""The OpenAPI document of our routes: what is asked, and what is answered.

``nouns`` declares each operation once, with the policy that allows it, the
schemas that its requests are checked against, and those of its answers. The
document and the reference of the API are made of that.
"""
