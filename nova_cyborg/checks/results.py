# SPDX-License-Identifier: Apache-2.0

"""What a check says, and running checks."""

from __future__ import annotations

import collections.abc
import typing as ty

from oslo_upgradecheck import upgradecheck

Result = upgradecheck.Result
_Code = upgradecheck.Code

#: Name of each check, and what is called for its result.
Checks: ty.TypeAlias = collections.abc.Mapping[
    str, collections.abc.Callable[[], Result]
]


def success(details: str) -> Result:
    """Say that all is well, and what was seen."""
    return Result(_Code.SUCCESS, details)


def warning(details: str) -> Result:
    """Say what works and should be looked at, and how."""
    return Result(_Code.WARNING, details)


def failure(details: str) -> Result:
    """Say what does not work, and what to do."""
    return Result(_Code.FAILURE, details)


def worst(found: collections.abc.Iterable[Result], all_is_well: str) -> Result:
    """Put several results into one.

    :param found: what is not well.
    :param all_is_well: what to say if there is nothing.
    :returns: the worst code, with all sentences of the results.
    """
    found = list(found)
    if not found:
        return success(all_is_well)
    code = max(result.code for result in found)
    return Result(code, ' '.join(result.details or '' for result in found))


def run(checks: Checks) -> list[dict[str, ty.Any]]:
    """Run checks, each whatever becomes of the others.

    :param checks: the checks.
    :returns: the results, as they are printed in JSON.
    """
    return [as_dict(name, _guarded(check)) for name, check in checks.items()]


def _guarded(check: collections.abc.Callable[[], Result]) -> Result:
    try:
        return check()
    except Exception as exc:  # noqa: BLE001 - what a service's library may raise
        return failure(
            f'It could not be looked at: {type(exc).__name__}: {exc}'
        )


def as_dict(name: str, result: Result) -> dict[str, ty.Any]:
    """Write a result for another process.

    :param name: the check's name.
    :param result: the result.
    :returns: a dict of JSON's types.
    """
    return {
        'check': name,
        'result': int(result.code),
        'details': result.details,
    }


def from_dict(item: dict[str, ty.Any]) -> tuple[str, Result]:
    """Read what :func:`as_dict` wrote.

    :param item: the dict.
    :returns: the check's name, and the result.
    """
    return item['check'], Result(_Code(item['result']), item['details'])
