# SPDX-License-Identifier: Apache-2.0

"""Running a program that cleans a slot: bounded in time, once at a time."""

import collections.abc
import contextlib
import fcntl
import os
import pathlib
import selectors
import subprocess
import time
import typing as ty

from nova_cyborg import exception

# What is said of a failure, in characters.
_MOST_SAID = 255
# Bytes that a pipe holds.
_PIPE = 65536
# Seconds until a program is killed that does not end when it is told to.
_KILL_AFTER = 5
# Seconds after which one that cannot be killed is not waited for any more.
_PATIENCE = 5
# Seconds between two looks whether it has ended, if something else holds its
# standard error.
_LOOK = 0.5


def run(
    command: collections.abc.Sequence[str],
    seconds: int,
    lock: pathlib.Path,
) -> None:
    """Run a program, and wait for its end.

    :param command: the program and its arguments; no shell looks at them.
    :param seconds: how long it may take.
    :param lock: a file that is locked as long as it runs, also when this
        process has ended meanwhile.
    :raises CleaningUnderWay: if one runs already.
    :raises CleaningFailed: if it cannot be started, takes too long, or ends
        with another status than 0.
    """
    with _locked(lock) as file:
        # Before its bound begins: what is over it took no shorter time.
        begun = time.monotonic()
        process = _start(command, seconds, file)
        end = begun + seconds + _KILL_AFTER + _PATIENCE
        last_line = _last_line(process, end)
        status = process.poll()
    if status == 0:
        return
    if status is None or time.monotonic() - begun >= seconds:
        raise _failed(f'It did not end within {seconds} s.', last_line)
    raise _failed(f'It ended with status {status}.', last_line)


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> collections.abc.Iterator[int]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise exception.CleaningFailed(reason=f'No lock: {exc}.') from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    except BlockingIOError as exc:
        raise exception.CleaningUnderWay(slot=path.stem) from exc
    finally:
        os.close(file)


def _start(
    command: collections.abc.Sequence[str], seconds: int, lock: int
) -> subprocess.Popen[bytes]:
    # The time is not kept here: it is to end, too, if this process ends.
    bounded = ['timeout', f'--kill-after={_KILL_AFTER}', str(seconds)]
    try:
        # What it runs is what the operator has put into the devices file.
        return subprocess.Popen(  # noqa: S603
            [*bounded, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # It and what it starts hold the lock.
            pass_fds=[lock],
            start_new_session=True,
        )
    except OSError as exc:
        raise exception.CleaningFailed(
            reason=f'It could not be started: {exc}.'
        ) from exc


def _last_line(process: subprocess.Popen[bytes], end: float) -> str:
    """Wait for the end of a program, and return what it has said last."""
    stream = ty.cast(ty.IO[bytes], process.stderr)
    said = b''
    with stream, selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        ended = False
        while not ended and time.monotonic() < end:
            ended = process.poll() is not None
            # What it has left running may hold the pipe for ever: the pipe is
            # not read to its end, but once more.
            if not selector.select(0 if ended else _LOOK):
                continue
            read = os.read(stream.fileno(), _PIPE)
            said = (said + read)[-_PIPE:]
            if not read:
                break
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(end - time.monotonic(), 0))
    lines = said.decode(errors='replace').split('\n')
    return next((line for line in reversed(lines) if line.strip()), '')


def _failed(sentence: str, last_line: str) -> exception.CleaningFailed:
    said = ''.join(each if each.isprintable() else ' ' for each in last_line)
    return exception.CleaningFailed(
        reason=f'{sentence} {said.strip()}'.strip()[:_MOST_SAID]
    )
