# SPDX-License-Identifier: Apache-2.0

"""The parts of Nova that are about accelerators: stock ones, and the plugin's.

What they call in between counts to them. What calls Cyborg counts anyway, as
all calls are written down: here is what waits, or reads, without a call.
"""

import functools
import inspect
import types
import typing as ty

from tools.bench.tracing import units as units_module

_CONDUCTOR = 'nova-conductor'
_COMPUTE = 'nova-compute'
# Of each module: the service, and methods by class, or all of its functions.
_ALL: dict[str, tuple[str, ...]] = {}
NAMES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    'nova.conductor.manager': (
        _CONDUCTOR,
        {'ComputeTaskManager': ('_create_and_bind_arq_for_instance',)},
    ),
    'nova_cyborg.nova.conductor.manager': (
        _CONDUCTOR,
        {'ComputeTaskManager': ('_create_and_bind_arq_for_instance',)},
    ),
    'nova_cyborg.nova.conductor.device_context': (
        _CONDUCTOR,
        {
            'DeviceContextHook': (
                'before_scheduling',
                'pre_bind',
                'unbind',
                'release',
            )
        },
    ),
    'nova_cyborg.nova.conductor.guards': (_CONDUCTOR, _ALL),
    'nova.compute.manager': (
        _COMPUTE,
        {'ComputeManager': ('_get_bound_arq_resources', '_get_accel_info')},
    ),
    'nova_cyborg.nova.compute.manager': (
        _COMPUTE,
        {'ComputeManager': ('_get_bound_arq_resources', '_get_accel_info')},
    ),
    'nova_cyborg.nova.compute.arqs': (_COMPUTE, _ALL),
    'nova_cyborg.nova.compute.bindings': (_COMPUTE, _ALL),
    'nova_cyborg.nova.compute.guards': (_COMPUTE, _ALL),
}
# What nova-compute does in a thread that it does not answer a message in.
_TASKS = {'nova.compute.manager': ('_do_build_and_run_instance',)}


def wrap(units: units_module.Units, module: types.ModuleType) -> None:
    """Write down how long each part takes that a module has.

    :param units: the process's units.
    :param module: the module.
    :raises AttributeError: if it has no such part: nobody is to take what is
        not measured for what takes no time.
    """
    role, classes = NAMES[module.__name__]
    for class_name, names in classes.items():
        cls = getattr(module, class_name)
        for name in names:
            _replace(cls, name, _part(units, role))
    for name in _TASKS.get(module.__name__, ()):
        _replace(module.ComputeManager, name, _task(units, role))
    if classes is _ALL:
        for name, found in vars(module).copy().items():
            if _is_own_function(module, found):
                _replace(module, name, _part(units, role))


def _is_own_function(module: types.ModuleType, found: object) -> bool:
    return (
        inspect.isfunction(found)
        and found.__module__ == module.__name__
        # What makes a context manager is over before that begins.
        and not inspect.isgeneratorfunction(inspect.unwrap(found))
    )


def _replace(owner: ty.Any, name: str, make: ty.Any) -> None:
    setattr(owner, name, make(vars(owner)[name]))


def _part(units: units_module.Units, role: str) -> ty.Any:
    def make(stock: ty.Any) -> ty.Any:
        @functools.wraps(stock)
        def run(*args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            with units.part('part', stock.__name__, role):
                return stock(*args, **kwargs)

        return run

    return make


def _task(units: units_module.Units, role: str) -> ty.Any:
    def make(stock: ty.Any) -> ty.Any:
        @functools.wraps(stock)
        def run(*args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            with units.of(role, stock.__name__, ''):
                return stock(*args, **kwargs)

        return run

    return make
