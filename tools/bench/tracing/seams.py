# SPDX-License-Identifier: Apache-2.0

"""Where the services are listened to: libraries that all of them use.

Each is wrapped when the process imports it, and nothing is imported for that.
"""

import functools
import typing as ty

import wrapt

from tools.bench.tracing import database, http, messages, parts, recording
from tools.bench.tracing import units as units_module


def install() -> None:
    """Have this process write down what it does, if it is measured."""
    recorder = recording.recorder()
    if recorder is None:
        return
    units = units_module.Units(recorder)
    seams = {
        'paste.deploy': http.serve,
        'keystoneauth1.session': http.call,
        'oslo_messaging.rpc.dispatcher': messages.receive,
        'oslo_messaging.rpc.client': messages.send,
        'sqlalchemy': database.listen,
        **dict.fromkeys(parts.NAMES, parts.wrap),
    }
    for module, wrap in seams.items():
        _register(module, functools.partial(wrap, units))


def _register(module: str, hook: ty.Any) -> None:
    wrapt.register_post_import_hook(hook, module)
