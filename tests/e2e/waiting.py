# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.


"""Waiting for what happens in the background, never without an end."""

import collections.abc

from tools.cloud import waiting

#: Ample for anything that a cloud on a busy machine does; where its hosts are
#: emulated machines, more is set.
SECONDS = 120.0


def until(
    what: str,
    condition: collections.abc.Callable[[], bool],
    seconds: float | None = None,
) -> None:
    """Wait until a condition holds; the test fails if it does not."""
    waiting.until(what, condition, SECONDS if seconds is None else seconds)
