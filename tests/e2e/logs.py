# SPDX-License-Identifier: Apache-2.0


"""What the services wrote while a test ran."""

import pathlib
import re

from tools.cloud import cloud as cloud_module

_TELLING = re.compile(r'\b(ERROR|CRITICAL|Traceback|\w+Error|Exception)\b')
_LINES = 40


class LogMarks:
    """Remembers where the services' logs end, to read on from there.

    :param cloud: the cloud.
    """

    def __init__(self, cloud: cloud_module.Cloud) -> None:
        self._paths = cloud.log_paths()
        self._ends = {name: _size(path) for name, path in self._paths.items()}

    def since(self, program: str) -> str:
        """Return what a program has written since."""
        path = self._paths[program]
        if not path.exists():
            return ''
        with path.open('rb') as stream:
            stream.seek(self._ends[program])
            return stream.read().decode(errors='replace')

    def telling(self) -> str:
        """Return the lines since that are likely to tell what went wrong."""
        parts = []
        for program in self._paths:
            lines = self.since(program).splitlines()
            found = [line for line in lines if _TELLING.search(line)]
            if found:
                parts += [f'--- {program}', *found[-_LINES:]]
        return '\n'.join(parts)


def everything(cloud: cloud_module.Cloud, service: str) -> str:
    """Return all that a service has written, whatever its programs."""
    paths = cloud.log_paths(service).values()
    return '\n'.join(path.read_text() for path in paths)


def _size(path: pathlib.Path) -> int:
    return path.stat().st_size if path.exists() else 0
