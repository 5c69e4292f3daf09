# SPDX-License-Identifier: Apache-2.0


"""A user of the cloud: the real command lines, and the APIs beside them."""

import collections.abc
import dataclasses
import json
import os
import pathlib
import subprocess
import sysconfig
import typing as ty

from keystoneauth1 import adapter, session
from keystoneauth1.identity import v3

# Commands start slowly on a busy machine.
COMMAND_SECONDS = 120
# The first microversion that shows a server's scheduler hints.
_COMPUTE_VERSION = '2.100'


@dataclasses.dataclass(frozen=True)
class Done:
    """What came of a command."""

    command: str
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return (
            f'"{self.command}" ended with status {self.code}\n'
            f'stdout:\n{self.out}\nstderr:\n{self.err}'
        )


def shell_environment() -> dict[str, str]:
    """Return what a shell needs to find the commands, and no more."""
    scripts = sysconfig.get_path('scripts')
    # Of the code that is tested, when it is not that of the environment.
    python_path = os.environ.get('PYTHONPATH')
    return {
        **({'PYTHONPATH': python_path} if python_path else {}),
        'HOME': str(pathlib.Path.home()),
        'LANG': 'C.UTF-8',
        'PATH': os.pathsep.join((scripts, os.environ.get('PATH', os.defpath))),
        # Deprecations of the clients' libraries are not looked at here.
        'PYTHONWARNINGS': 'ignore',
    }


class Person:
    """A user who has the cloud's variables in the shell's environment.

    :param environment: the variables with which clients log in.
    """

    def __init__(self, environment: collections.abc.Mapping[str, str]) -> None:
        self.environment = {**shell_environment(), **environment}
        self.project = environment['OS_PROJECT_NAME']
        self.session = session.Session(
            auth=v3.Password(
                auth_url=environment['OS_AUTH_URL'],
                username=environment['OS_USERNAME'],
                password=environment['OS_PASSWORD'],
                project_name=self.project,
                user_domain_name=environment['OS_USER_DOMAIN_NAME'],
                project_domain_name=environment['OS_PROJECT_DOMAIN_NAME'],
            )
        )
        self.accelerator = self._api('accelerator')
        self.compute = self._api('compute', _COMPUTE_VERSION)
        self.identity = self._api('identity')
        self.image = self._api('image')

    def _api(
        self, service_type: str, microversion: str | None = None
    ) -> adapter.Adapter:
        return adapter.Adapter(
            self.session,
            service_type=service_type,
            default_microversion=microversion,
            raise_exc=True,
        )

    def try_to(self, command: str) -> Done:
        """Run a command as it is typed into bash, whatever comes of it."""
        done = subprocess.run(
            ['bash', '-c', command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Done(command, done.returncode, done.stdout, done.stderr)

    def run(self, command: str) -> str:
        """Run a command that is to succeed, and return what it prints."""
        done = self.try_to(command)
        assert done.code == 0, done
        return done.out

    def show(self, command: str) -> ty.Any:
        """Run a command that prints JSON, and return what that says."""
        return json.loads(self.run(f'{command} -f json'))

    def type_in(self, commands: collections.abc.Iterable[str]) -> str:
        """Run commands of one ``openstack``, which is started once.

        As quick as one command, where one after the other would take long.

        :param commands: what is typed after ``openstack``.
        :returns: what they print.
        """
        lines = '\n'.join(commands)
        done = self.try_to(f"openstack <<'END'\n{lines}\nEND")
        # Its status is 1 whatever comes of them; one that fails complains.
        assert done.err == '', done
        return done.out

    def show_each(
        self, commands: collections.abc.Iterable[str]
    ) -> list[ty.Any]:
        """Run commands of one ``openstack`` that print JSON, as above."""
        text = self.type_in(f'{each} -f json' for each in commands)
        found = []
        while text := text.lstrip():
            value, end = json.JSONDecoder().raw_decode(text)
            found.append(value)
            text = text[end:]
        return found

    def is_refused(self, command: str) -> str:
        """Run a command that is to fail, and return what it complains of."""
        done = self.try_to(command)
        assert done.code not in (0, None), done
        assert 'Traceback' not in done.err, done
        # A script that takes stdout for a UUID must not get anything else.
        assert done.out == '', done
        return done.err
