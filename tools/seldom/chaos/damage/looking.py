# SPDX-License-Identifier: Apache-2.0

"""A look at the damage while services may be down."""

import sqlalchemy.exc

from tools.seldom.chaos.damage import count

#: Seconds between two looks.
PAUSE = 10.0


def look(counter: count.Count) -> count.Damage | None:
    """Count the damage.

    :param counter: what counts it.
    :returns: the damage; None if it cannot be counted, as the database does
        not answer.
    """
    try:
        return counter.damage()
    except sqlalchemy.exc.SQLAlchemyError:
        return None


def words(damage: count.Damage | None) -> str:
    """Say how much damage there is.

    :param damage: the damage, None if it could not be counted.
    :returns: the numbers.
    """
    if damage is None:
        return 'the database does not answer'
    return damage.numbers()
