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

"""The cloud and the people of the end-to-end tests, and their cleaning up."""

from tests.e2e.conftest import (
    admin,
    afterwards,
    cloud,
    demo,
    nothing_left,
    other,
    people,
    pytest_runtest_makereport,
)

__all__ = (
    'admin',
    'afterwards',
    'cloud',
    'demo',
    'nothing_left',
    'other',
    'people',
    'pytest_runtest_makereport',
)
