# SPDX-License-Identifier: Apache-2.0

"""``/`` and ``/v2``: Cyborg's versions, and that we are beside them."""

import typing as ty

import wsme
from cyborg.api.controllers import link, root, v2
from wsme import types as wtypes

from nova_cyborg.api.controllers import views
from nova_cyborg.api.document import building

_NAME = 'nova_cyborg'
_DOCUMENT = 'device_context_openapi'


class Extension(wtypes.Base):
    """What is served beside Cyborg's own."""

    name = wtypes.text
    """What it is called"""

    version = wtypes.text
    """The version of its API"""

    description = wtypes.text
    """What it adds"""

    links: ty.ClassVar = [link.Link]
    """Where its document is"""


class Root(root.Root):
    """Cyborg's versions."""

    extensions: ty.ClassVar = [Extension]
    """What is served beside them"""


class V2(v2.V2):
    """Cyborg's version 2."""

    extensions: ty.ClassVar = [Extension]
    """What is served beside it"""


def beside(found: ty.Any, form: type[wtypes.Base]) -> ty.Any:
    """Name ourselves in an answer of Cyborg's.

    :param found: the answer.
    :param form: the type of the answer with us in it.
    :returns: the answer, with us in it.
    """
    answer = form()
    for attribute in wtypes.list_attributes(type(found)):
        setattr(answer, attribute.name, getattr(found, attribute.name))
    ty.cast(ty.Any, answer).extensions = [
        Extension(
            name=_NAME,
            version=building.VERSION,
            description='Device contexts: accelerators for servers, on '
            'request.',
            # RFC 8631 has the word.
            links=[
                link.Link(
                    rel='service-desc',
                    href=views.url(_DOCUMENT),
                    type=wsme.Unset,
                )
            ],
        )
    ]
    return answer
