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

"""The production-like cloud: the same services as operators run them.

RabbitMQ, a database server and memcached, which the machine's packages bring
and which are started here on ports and folders of their own; each service in
processes of its own, APIs under uWSGI; two of what is meant to be several;
two cells.
"""
