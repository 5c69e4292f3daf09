# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-status upgrade check``: is all set up as it must be.

In the manner of nova-status and cyborg-status. It looks with nova.conf, with
cyborg.conf, with placement.conf, or with all; a host often has only one of the
services, and then it is run on one host of each.
"""

from __future__ import annotations

import collections.abc
import importlib.util
import json
import os
import subprocess
import sys

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks import command_line, results

_SIDES = {'nova': 'Nova', 'cyborg': 'Cyborg', 'placement': 'Placement'}
# Whose packages the checks need.
_IMPORTED = ('nova', 'cyborg')
_COULD_NOT_LOOK = 255


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: the arguments; the process's own if None.
    :returns: the exit status: 0 if all is well, 1 with warnings, 2 with
        failures, 255 if it could not look.
    """
    conf = cfg.ConfigOpts()
    conf.register_cli_opts(
        cfg.MultiStrOpt(
            f'{side}-config-file',
            metavar='PATH',
            default=[],
            help=f'a configuration file of {name}; may be repeated (default: '
            f"{name}'s usual places). If files of one service only are "
            'given, only that is looked at.',
        )
        for side, name in _SIDES.items()
    )
    try:
        code = upgradecheck.main(
            conf,
            project='nova-cyborg',
            upgrade_command=Checks(conf),
            argv=list(sys.argv[1:] if argv is None else argv),
            # This command has no file of its own.
            default_config_files=[],
        )
    except cfg.Error as exc:
        print(exc, file=sys.stderr)
        return _COULD_NOT_LOOK
    return int(code)


class Checks(upgradecheck.UpgradeCommands):
    """The checks of both sides.

    :param conf: the command line.
    """

    display_title = 'nova_cyborg Upgrade Check Results'

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    def check(self) -> upgradecheck.Code:
        """Check, and print.

        :returns: the worst result.
        """
        if self._conf.config_file:
            print(
                'Which service is the file of? Say --nova-config-file, '
                '--cyborg-config-file or --placement-config-file instead of '
                '--config-file.',
                file=sys.stderr,
            )
            sys.exit(_COULD_NOT_LOOK)
        self._upgrade_checks = tuple(
            (name, lambda _self, result=result: result)
            for name, result in self._results()
        )
        return super().check()

    def _results(
        self,
    ) -> collections.abc.Iterator[tuple[str, results.Result]]:
        files = {side: self._conf[f'{side}_config_file'] for side in _SIDES}
        chosen = [side for side in _SIDES if files[side]]
        sides = chosen or [side for side in _SIDES if _is_here(side)]
        if not sides:
            yield (
                'Configuration',
                results.failure(
                    'There is no nova.conf, cyborg.conf or placement.conf in '
                    'the usual places, or the service is not installed here. '
                    'Say where they are with --nova-config-file, '
                    '--cyborg-config-file and --placement-config-file.'
                ),
            )
        for side, name in _SIDES.items():
            if side in sides:
                yield from _check_side(side, files[side])
            elif sides and not chosen:
                print(
                    f'{name} is not looked at: it is not installed here, or '
                    f'has no {side}.conf. Run this on a host of it, too.',
                    file=sys.stderr,
                )
        yield 'Command line: script cyborg', command_line.script()


def _is_here(side: str) -> bool:
    if side in _IMPORTED and not importlib.util.find_spec(side):
        return False
    return bool(cfg.find_config_files(side, side))


def _check_side(
    side: str, files: collections.abc.Sequence[str]
) -> list[tuple[str, results.Result]]:
    done = subprocess.run(  # noqa: S603 - this is our own
        [sys.executable, '-m', 'nova_cyborg.checks', side, *files],
        # Nova's threads are native ones then, and nothing is patched.
        env={**os.environ, 'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # The last line of a traceback says what it is.
        reason = (done.stderr.strip() or 'it ended').splitlines()[-1]
        result = results.failure(
            f'{_SIDES[side]} could not be looked at: {reason}. Check the '
            'configuration files, and that they can be read.'
        )
        return [(f'{_SIDES[side]}: configuration', result)]
    return [results.from_dict(item) for item in json.loads(done.stdout)]


if __name__ == '__main__':
    sys.exit(main())
