# SPDX-License-Identifier: Apache-2.0

"""Python runs this when it starts, if it finds it on its path."""

from tools.bench.tracing import seams

seams.install()
