# SPDX-License-Identifier: Apache-2.0

from tools.bench.model import measured
from tools.bench.results import calls


def sample(*units, bound=10):
    return measured.Sample('contexts', 'boot', bound, {}, {}, list(units))


def unit(statements, name='POST /{id}/bind', service='cyborg-api'):
    return measured.Unit(service, name, statements / 100, statements, 1, 0, 80)


def test_requests_of_a_kind_are_taken_together():
    (bind, check) = calls.of(
        [
            sample(unit(9), unit(3, name='POST /check'), unit(9, service='x')),
            sample(unit(10)),
            sample(unit(14)),
        ]
    )

    assert (bind.name, bind.times) == ('POST /{id}/bind', 1)
    assert (bind.statements, bind.most, bind.seconds) == (10, 14, 0.1)
    assert (bind.writes, bind.messages, bind.size) == (1, 0, 80)
    assert (check.name, check.times) == ('POST /check', 1 / 3)


def test_each_number_of_accelerators_is_apart():
    found = calls.of([sample(unit(9)), sample(unit(10), bound=100)])

    assert [(each.bound, each.statements) for each in found] == [
        (10, 9),
        (100, 10),
    ]
