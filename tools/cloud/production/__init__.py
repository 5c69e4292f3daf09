# SPDX-License-Identifier: Apache-2.0

"""The production-like cloud: the same services as operators run them.

RabbitMQ, a database server and memcached, which the machine's packages bring
and which are started here on ports and folders of their own; each service in
processes of its own, APIs under uWSGI; two of what is meant to be several;
two cells.
"""
