# SPDX-License-Identifier: Apache-2.0

"""What happens to a device context, and how it goes."""


class Action:
    """What is done; :doc:`/reference/events` says it of each."""

    CREATE = 'create'
    UPDATE = 'update'
    RESERVE = 'reserve'
    SCHEDULE = 'schedule'
    BIND = 'bind'
    ATTACH = 'attach'
    DETACH = 'detach'
    MOVE = 'move'
    UNBIND = 'unbind'
    RELEASE = 'release'
    DELETE = 'delete'
    LOSE = 'lose'
    FIND = 'find'

    ALL = (
        CREATE,
        UPDATE,
        RESERVE,
        SCHEDULE,
        BIND,
        ATTACH,
        DETACH,
        MOVE,
        UNBIND,
        RELEASE,
        DELETE,
        LOSE,
        FIND,
    )
    #: Those that take a while: an event says that one has begun.
    LONG = (BIND, ATTACH, DETACH)
    #: Those of which only that they went wrong is an event.
    FAILING = (SCHEDULE, LOSE)


class Outcome:
    """How it goes."""

    STARTED = 'started'
    SUCCESS = 'success'
    ERROR = 'error'

    ALL = (STARTED, SUCCESS, ERROR)


def outcomes(action: str) -> tuple[str, ...]:
    """Tell which outcomes an action can have.

    :param action: one of :class:`Action`.
    :returns: some of :class:`Outcome`.
    """
    if action in Action.LONG:
        return Outcome.ALL
    if action in Action.FAILING:
        return (Outcome.ERROR,)
    return (Outcome.SUCCESS,)
