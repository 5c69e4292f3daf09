# SPDX-License-Identifier: Apache-2.0

"""The services' log files."""

import pathlib
import re

_LINES = 25
_TELLING = re.compile(r'\b(ERROR|CRITICAL|Traceback|\w+Error|Exception)\b')


def telling_lines(path: pathlib.Path) -> list[str]:
    """Return the lines of a log that are likely to tell what went wrong.

    :param path: the log file.
    :returns: the last lines with errors; the last of all if there are none.
    """
    try:
        lines = path.read_text(errors='replace').splitlines()
    except FileNotFoundError:
        return []
    found = []
    in_traceback = False
    for line in lines:
        # What a traceback is about stands behind it, and need not say Error.
        ends = in_traceback and not line.startswith(' ')
        if ends or _TELLING.search(line):
            found.append(line)
        in_traceback = 'Traceback' in line or (in_traceback and not ends)
    return (found or lines)[-_LINES:]


def tail_command(
    paths: list[pathlib.Path], lines: int, follow: bool
) -> list[str]:
    """Return the command that shows the ends of logs.

    :param paths: the log files.
    :param lines: how many lines of each.
    :param follow: whether to go on as they grow.
    :returns: the command and its arguments.
    """
    options = ['-n', str(lines)] + (['-F'] if follow else [])
    return ['tail', *options, '--', *map(str, paths)]
