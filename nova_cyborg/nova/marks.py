# SPDX-License-Identifier: Apache-2.0

"""The marks that a server with device contexts bears in Nova's own records.

All of Nova's own handling of accelerators asks for the device profile in a
server's copy of its flavor, and then looks accelerator requests up by server.
"""

from __future__ import annotations

import collections.abc
import contextlib
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects

from nova_cyborg import model

# Of how many servers it is remembered that they were marked as they existed.
_REMEMBERED = 1000
# Their UUIDs, the last one last.
_GIVEN: dict[str, None] = {}


def mark(instance: objects.Instance) -> None:
    """Make Nova see that a server has accelerators, and us, that it is ours.

    :param instance: the server; changed in place, not saved.
    """
    instance.flavor = marked(instance.flavor)
    _set_key(instance, present=True)


def give(
    instance: objects.Instance, states: collections.abc.Collection[str]
) -> None:
    """Mark a server that exists, with which nothing is being done.

    The key comes first: the flavor is stored whatever the server's state is,
    with those of a move that may have begun.

    :param instance: the server, as it is now; changed and saved.
    :param states: the states that it may be in.
    :raises InstanceUpdateConflict: if something is being done with it.
    :raises InstanceNotFound: if it is gone.
    """
    if has_contexts(instance):
        return
    _GIVEN[instance.uuid] = None
    if len(_GIVEN) > _REMEMBERED:
        del _GIVEN[next(iter(_GIVEN))]
    _set_key(instance, present=True)
    instance.save(expected_task_state=[None], expected_vm_state=list(states))
    instance.flavor = marked(instance.flavor)
    instance.save()


def take(
    context: nova_context.RequestContext, instance: objects.Instance
) -> bool:
    """Take the marks from a server, which has no device contexts any more.

    All its flavors are stored together, so it is read anew: it may be moved.

    :param instance: the server; it stays as it is.
    :returns: whether it bore any.
    :raises InstanceNotFound: if it is gone.
    """
    now = read(context, instance)
    if not bears_any(now):
        return False
    drop(now)
    now.save()
    return True


def take_stale(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    """Take the marker from a server that lost it while it was moved.

    Nova stores a flavor with extra specs whenever it stores anything of the
    server, and so may have stored the marker again.

    :param instance: the server, as it was told of; it stays as it is.
    """
    if not has_contexts(instance):
        return
    with contextlib.suppress(nova_exception.InstanceNotFound):
        now = read(context, instance)
        if _is_stale(now):
            drop(now)
            now.save()


def _is_stale(now: objects.Instance) -> bool:
    """Tell whether a server, read anew, bears a marker that it has lost."""
    return only_contexts(now) and (
        model.SYSTEM_METADATA_KEY not in now.system_metadata
    )


def read(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    *attributes: str,
) -> objects.Instance:
    """Read a server anew, with its marks.

    :param instance: the server.
    :param attributes: what else of it is read.
    :returns: the server as it is now.
    :raises InstanceNotFound: if it is gone.
    """
    return objects.Instance.get_by_uuid(
        context,
        instance.uuid,
        expected_attrs=['flavor', 'system_metadata', *attributes],
    )


def adopt(instance: objects.Instance, now: objects.Instance) -> None:
    """Have a server that was looked at earlier bear the marks of now.

    :param instance: the server; changed in place, and not as something that is
        to be saved.
    :param now: the same, read anew.
    """
    key = model.SYSTEM_METADATA_KEY
    is_held = key in now.system_metadata
    if is_held and not has_accelerators(now):
        # It is being marked just now.
        now.flavor = marked(now.flavor)
    elif _is_stale(now):
        now.flavor = unmarked(now.flavor)
    if 'flavor' not in instance or (
        only_contexts(instance) != only_contexts(now)
    ):
        instance.flavor = now.flavor
        instance.obj_reset_changes(['flavor'])
    if (
        'system_metadata' in instance
        and (key in instance.system_metadata) != is_held
    ):
        _set_key(instance, is_held)
        instance.obj_reset_changes(['system_metadata'])


def drop(instance: objects.Instance) -> None:
    """Have a server bear no marks that was told of before it lost them.

    :param instance: the server, which has no device contexts; changed in
        place, to be saved with what else is.
    """
    # All at first: what is not there is read by Nova when it stores one, and
    # with it the others, as they were before.
    flavors = {
        name: getattr(instance, name)
        for name in ('old_flavor', 'new_flavor', 'flavor')
    }
    for name, flavor in flavors.items():
        if flavor is not None and is_marker(_extra_specs(flavor)):
            setattr(instance, name, unmarked(flavor))
    if model.SYSTEM_METADATA_KEY in instance.system_metadata:
        _set_key(instance, present=False)


def forget(instance: objects.Instance) -> None:
    """Have a server bear no marks that has no device contexts any more.

    :param instance: the server; changed in place, and not as something that
        is to be saved.
    """
    instance.flavor = unmarked(instance.flavor)
    instance.obj_reset_changes(['flavor'])


def bear(instance: objects.Instance) -> bool:
    """Have a server bear both marks that bears the key.

    Whoever has stored all of the server, as it was told of earlier, may have
    stored the flavor without the marker. The key is stored with nothing else.

    :param instance: the server; changed in place, and not as something that is
        to be saved.
    :returns: whether it has device contexts.
    """
    if not bears_any(instance):
        return False
    if not has_accelerators(instance):
        instance.flavor = marked(instance.flavor)
        instance.obj_reset_changes(['flavor'])
    return True


def keep_stored(instance: objects.Instance) -> None:
    """Have the flavor of a server not stored with whatever is stored next.

    Nova stores one with extra specs whenever it stores anything of the server,
    and it may have been marked, or unmarked, since it was read.

    :param instance: the server; its flavor is none that is to be saved.
    """
    instance.obj_reset_changes(['flavor'], recursive=True)


def may_bear(instance: objects.Instance) -> bool:
    """Tell whether a server may bear marks by now.

    :param instance: the server, as a method of this process was told of it;
        only this process has marked it since.
    :returns: whether it may.
    """
    return bears_any(instance) or instance.uuid in _GIVEN


def save_others(instance: objects.Instance) -> None:
    """Save what was changed of a server, and none of its marks.

    :param instance: the server.
    :raises InstanceNotFound: if it is gone.
    """
    keep_stored(instance)
    instance.save()


def marked(flavor: objects.Flavor) -> objects.Flavor:
    """Mark the flavor that a server with device contexts is resized to.

    :param flavor: the flavor; it stays as it is.
    :returns: a copy with the marker, unless it names a device profile.
    """
    return _with_specs(
        flavor,
        {
            model.PROFILE_EXTRA_SPEC: model.FLAVOR_MARKER,
            **_extra_specs(flavor),
        },
    )


def unmarked(flavor: objects.Flavor) -> objects.Flavor:
    """Take the marker from the flavor of a server's request.

    Nova would look the profile up, when it schedules the server. It stores
    the server's own copy with the request when a server is migrated, or the
    resize of a server is reverted.

    :param flavor: the flavor; it stays as it is.
    :returns: a copy without the marker.
    """
    extra_specs = _extra_specs(flavor)
    if is_marker(extra_specs):
        del extra_specs[model.PROFILE_EXTRA_SPEC]
    return _with_specs(flavor, extra_specs)


def has_accelerators(instance: objects.Instance) -> bool:
    """Tell whether a server was booted with accelerators of Cyborg's.

    :param instance: the server.
    :returns: whether it was, with device contexts or with a device profile.
    """
    return model.PROFILE_EXTRA_SPEC in (instance.flavor.extra_specs or {})


def only_contexts(instance: objects.Instance) -> bool:
    """Tell whether only device contexts give a server accelerators.

    :param instance: the server.
    :returns: whether its copy of the flavor has the marker.
    """
    return is_marker(instance.flavor.extra_specs)


def is_marker(extra_specs: collections.abc.Mapping[str, ty.Any]) -> bool:
    """Tell whether a flavor names the marker in place of a device profile.

    :param extra_specs: the flavor's extra specs.
    :returns: whether it does.
    """
    profile = extra_specs.get(model.PROFILE_EXTRA_SPEC)
    return bool(profile == model.FLAVOR_MARKER)


def has_contexts(instance: objects.Instance) -> bool:
    """Tell whether a server was booted with device contexts.

    :param instance: the server.
    :returns: whether it was; False for one that was booted with a device
        profile as well by a nova-conductor that did not note it.
    """
    if not has_accelerators(instance):
        # Nova may have to read the metadata from its database.
        return False
    return only_contexts(instance) or (
        model.SYSTEM_METADATA_KEY in instance.system_metadata
    )


def bears_any(instance: objects.Instance) -> bool:
    """Tell whether a server has device contexts, or had some a moment ago.

    Nova may have stored the metadata of before, and the flavor not.

    :param instance: the server, with its metadata.
    :returns: whether it bears one mark, or both.
    """
    return has_contexts(instance) or (
        model.SYSTEM_METADATA_KEY in instance.system_metadata
    )


def is_of_device_context(arq: collections.abc.Mapping[str, ty.Any]) -> bool:
    """Tell whether an accelerator request belongs to a device context.

    :param arq: the request as Cyborg's API shows it.
    :returns: True; False for one of a device profile.
    """
    return str(arq['device_profile_name']).startswith(model.PROFILE_PREFIX)


def _set_key(instance: objects.Instance, present: bool) -> None:
    metadata = dict(instance.system_metadata or {})
    metadata.pop(model.SYSTEM_METADATA_KEY, None)
    if present:
        metadata[model.SYSTEM_METADATA_KEY] = 'true'
    instance.system_metadata = metadata


def _with_specs(
    flavor: objects.Flavor, extra_specs: dict[str, str]
) -> objects.Flavor:
    """Make a copy of a flavor with other extra specs.

    It has no changes: Nova stores those with a server's flavor, and whoever
    reads that server and saves anything of it would store the flavor, too,
    and with it those of a move, as they were when it was read.
    """
    copy = flavor.obj_clone()
    copy.extra_specs = extra_specs
    copy.obj_reset_changes()
    return copy


def _extra_specs(flavor: objects.Flavor) -> dict[str, str]:
    # Not all that Nova makes are read with them.
    found = flavor.extra_specs if 'extra_specs' in flavor else None
    return dict(found or {})
