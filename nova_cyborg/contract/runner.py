# SPDX-License-Identifier: Apache-2.0

"""Loading the conductor hooks, and calling them in order."""

from __future__ import annotations

import collections.abc
import inspect
import logging
import typing as ty

import stevedore
from nova import context as nova_context
from nova import objects

from nova_cyborg import exception, signatures
from nova_cyborg.contract import spec

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_cyborg.conductor'


def load(names: collections.abc.Sequence[str]) -> HookRunner:
    """Load conductor hooks.

    :param names: their names in the entry point namespace, in the order in
        which they are to be called.
    :returns: what calls them.
    :raises PluginActivationFailed: naming the hook that cannot be loaded.
    """
    loaded: ty.Any = stevedore.NamedExtensionManager(
        NAMESPACE,
        names,
        name_order=True,
        invoke_on_load=True,
        on_load_failure_callback=_not_loaded,
        on_missing_entrypoints_callback=_missing,
    )
    for extension in loaded:
        _check(extension.name, extension.obj)
    return HookRunner([extension.obj for extension in loaded])


class HookRunner:
    """Calls hooks in order, as far as a server concerns them.

    :param hooks: the hooks.
    """

    def __init__(
        self, hooks: collections.abc.Sequence[spec.ConductorHook]
    ) -> None:
        self._hooks = tuple(hooks)

    def concerns(self, request_spec: objects.RequestSpec) -> bool:
        """Tell whether a server has to do with any hook."""
        return any(hook.concerns(request_spec) for hook in self._hooks)

    def before_scheduling(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: spec.Operation,
    ) -> None:
        """Call the hooks before scheduling; see :mod:`.spec`.

        If one raises, those of a new server that were called before it
        release what they took, unless another call is at it.
        """
        done: list[spec.ConductorHook] = []
        for hook in self._concerned(request_spec):
            try:
                hook.before_scheduling(
                    context, request_spec, server_ids, operation
                )
            except exception.SUPERSEDED:
                raise
            except Exception:
                if operation.booting:
                    for server_id in server_ids:
                        _release(done, context, server_id)
                raise
            done.append(hook)

    def otherwise(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: spec.Operation,
    ) -> bool:
        """Let the hooks ask for something else; see :mod:`.spec`.

        :returns: whether one does. Those before it have nothing else.
        """
        return any(
            hook.otherwise(context, request_spec, server_ids, operation)
            for hook in self._concerned(request_spec)
        )

    def pre_bind(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        node: str,
        request_spec: objects.RequestSpec,
        operation: spec.Operation,
    ) -> list[str]:
        """Call the hooks after scheduling; see :mod:`.spec`.

        If one raises, those of a server that exists which were called before
        it unbind what they bound, unless another call is at it: nobody else
        knows of that. A new server is released as a whole.

        :returns: the accelerator requests of all hooks.
        """
        arqs: list[str] = []
        done: list[spec.ConductorHook] = []
        for hook in self._concerned(request_spec):
            try:
                arqs += hook.pre_bind(
                    context, instance, node, request_spec, operation
                )
            except exception.SUPERSEDED:
                raise
            except Exception:
                if not operation.booting:
                    _unbind(done, context, instance.uuid, operation)
                raise
            done.append(hook)
        return arqs

    def why_no_host(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_id: str,
        operation: spec.Operation,
    ) -> str:
        """Let the hooks say why there is no host; errors are logged.

        :returns: what the first says that says something; else nothing.
        """
        for hook in self._concerned(request_spec):
            try:
                sentence = hook.why_no_host(
                    context, request_spec, server_id, operation
                )
            except Exception as exc:  # noqa: BLE001 - a hook may raise anything
                LOG.warning(
                    'Why there is no host for server %s could not be said: %s',
                    server_id,
                    exc,
                )
                continue
            if sentence:
                return sentence
        return ''

    def unbind(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_id: str,
        operation: spec.Operation,
    ) -> None:
        """Let the hooks unbind; errors are logged, and hide no others."""
        _unbind(self._concerned(request_spec), context, server_id, operation)

    def release(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_id: str,
    ) -> None:
        """Let the hooks release; errors are logged, and hide no others."""
        _release(self._concerned(request_spec), context, server_id)

    def _concerned(
        self, request_spec: objects.RequestSpec
    ) -> list[spec.ConductorHook]:
        return [hook for hook in self._hooks if hook.concerns(request_spec)]


def _unbind(
    hooks: collections.abc.Iterable[spec.ConductorHook],
    context: nova_context.RequestContext,
    server_id: str,
    operation: spec.Operation,
) -> None:
    for hook in hooks:
        try:
            hook.unbind(context, server_id, operation)
        except Exception as exc:  # noqa: BLE001 - a hook may raise anything
            LOG.error(
                'Server %s is not moved, and the devices that were bound for '
                'it on the chosen host could not be unbound: %s',
                server_id,
                exc,
            )


def _release(
    hooks: collections.abc.Iterable[spec.ConductorHook],
    context: nova_context.RequestContext,
    server_id: str,
) -> None:
    for hook in hooks:
        try:
            hook.release(context, server_id)
        except Exception as exc:  # noqa: BLE001 - a hook may raise anything
            LOG.error(
                'Server %s is not built, and its device contexts could not '
                'be released: %s',
                server_id,
                exc,
            )


def _check(name: str, hook: object) -> None:
    if not isinstance(hook, spec.ConductorHook):
        raise exception.PluginActivationFailed(
            reason=f'conductor hook {name} is no '
            f'{spec.ConductorHook.__module__}.ConductorHook'
        )
    expected = {
        method: ' '.join(list(inspect.signature(function).parameters)[1:])
        for method, function in vars(spec.ConductorHook).items()
        if inspect.isfunction(function)
    }
    signatures.check(type(hook), expected)


def _not_loaded(
    _manager: object, entry_point: ty.Any, error: BaseException
) -> None:
    raise exception.PluginActivationFailed(
        reason=f'conductor hook {entry_point.name} cannot be loaded: {error}'
    ) from error


def _missing(names: collections.abc.Iterable[str]) -> None:
    raise exception.PluginActivationFailed(
        reason=f'there is no conductor hook {", ".join(sorted(names))} in '
        f'the entry points {NAMESPACE}. See [nova_cyborg] conductor_hooks '
        'in nova.conf'
    )
