# SPDX-License-Identifier: Apache-2.0

"""The APIs of the production-like cloud, as uWSGI serves them."""
