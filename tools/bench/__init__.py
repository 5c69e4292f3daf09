# SPDX-License-Identifier: Apache-2.0

"""What servers with accelerators cost: device contexts beside stock Nova."""
