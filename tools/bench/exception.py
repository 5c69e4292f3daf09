# SPDX-License-Identifier: Apache-2.0

"""What can go wrong with what is measured."""


class BenchError(Exception):
    """Something is not as it has to be to be measured."""


class Refused(BenchError):
    """An API refuses a request.

    :param what: the request.
    :param status: the HTTP status.
    :param text: what the API says.
    """

    def __init__(self, what: str, status: int, text: str) -> None:
        super().__init__(f'{what}: {status} {text[:300]}')
        self.status = status


class NotDone(BenchError):
    """An operation has failed, or takes too long.

    :param what: the operation, and what became of it.
    """


class Inconsistent(BenchError):
    """The rows that were put into the databases do not agree.

    :param said: what the audit says.
    """

    def __init__(self, said: str) -> None:
        super().__init__(f'The audit finds what disagrees:\n{said}')
