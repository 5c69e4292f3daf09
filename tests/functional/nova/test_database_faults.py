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

"""Cyborg's database refuses a write, or Cyborg is killed before it."""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc
import functools
import typing as ty

_CONTEXTS = ('device_allocations', 'device_contexts')
_LINKS = ('device_context_arqs', 'device_profiles')
_ARQS = ('extended_accelerator_requests', 'attach_handles')
_FREES = ('device_allocations', 'device_context_arqs', *_ARQS)
_BINDS = ('device_allocations', *_LINKS, *_ARQS)


def with_writes(*tables: str) -> collections.abc.Callable[[type], type]:
    """Give a class tests for the first write to each table."""

    def decorate(cls: type) -> type:
        for table in tables:
            for name, kill in (('is_full', False), ('is_not_reached', True)):

                def test(
                    self: ty.Any, table: str = table, kill: bool = kill
                ) -> None:
                    self.check(
                        functools.partial(
                            self.cyborg.control,
                            'refuse_writes',
                            table=table,
                            kill=kill,
                        )
                    )

                setattr(cls, f'test_{table}_{name}', test)
        return cls

    return decorate


@with_writes(*_CONTEXTS, *_LINKS, *_ARQS)
class BootTest(faulty.Boot):
    """A server is booted."""


@with_writes(*_CONTEXTS, *_LINKS, *_ARQS)
class DeleteTest(faulty.Delete):
    """A server is deleted."""


@with_writes(*_FREES)
class OffloadTest(faulty.Offload):
    """A server is shelved and offloaded."""


@with_writes(*_BINDS)
class UnshelveTest(faulty.Unshelve):
    """A server is unshelved."""


@with_writes(*_FREES)
class EvacuateTest(faulty.Evacuate):
    """A server is evacuated."""
