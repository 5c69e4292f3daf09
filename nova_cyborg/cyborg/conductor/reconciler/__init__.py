# SPDX-License-Identifier: Apache-2.0

"""cyborg-conductor: it looks for what disagrees, and puts it right."""
