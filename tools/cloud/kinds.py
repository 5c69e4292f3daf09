# SPDX-License-Identifier: Apache-2.0

"""The kinds of clouds, by name."""

from tools.cloud import exception
from tools.cloud.embedded import kind as embedded
from tools.cloud.model import kind
from tools.cloud.passthrough import kind as passthrough
from tools.cloud.production import kind as production

EMBEDDED = 'embedded'
PRODUCTION = 'production'
PASSTHROUGH = 'passthrough'

_KINDS: dict[str, type[kind.Kind]] = {
    EMBEDDED: embedded.Embedded,
    PRODUCTION: production.Production,
    PASSTHROUGH: passthrough.Passthrough,
}


def of(name: str) -> kind.Kind:
    """Return a kind.

    :param name: its name.
    :raises UnknownKind: if no kind has that name.
    """
    if name not in _KINDS:
        raise exception.UnknownKind(name, tuple(_KINDS))
    return _KINDS[name]()
