# SPDX-License-Identifier: Apache-2.0

"""Sphinx directives that take the reference of the API from its document.

``api-operation`` says of an operation what may be sent, what is answered and
which policy allows it; ``api-object`` which fields an object has that several
operations answer with, and ``api-refusals`` what any request may be refused
with. A name that the document does not have breaks the build, as does an
object that is linked to, and that no page has.
"""

import pathlib
import typing as ty

import reference_lines
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from nova_cyborg import api

# Of these the document is made.
_SOURCES = [
    path
    for folder in ('document', 'schemas')
    for path in (pathlib.Path(api.__file__).parent / folder).rglob('*.py')
]


class _Reference(SphinxDirective):
    def parsed(self, lines: list[str]) -> list[nodes.Node]:
        """Return what lines of reStructuredText make."""
        # The page is made again when what it is made of has changed.
        for path in _SOURCES:
            self.env.note_dependency(str(path))
        return self.parse_text_to_nodes('\n'.join(lines))


class ApiOperation(_Reference):
    """An operation, by its name in the document."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return what is to be known of it."""
        return self.parsed(reference_lines.operation_lines(self.arguments[0]))


class ApiObject(_Reference):
    """The fields of an object, by the title of its schema."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return self.parsed(reference_lines.object_lines(self.arguments[0]))


class ApiRefusals(_Reference):
    """What any request may be refused with."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return self.parsed(reference_lines.refusal_lines())


def setup(app: ty.Any) -> dict[str, bool]:
    """Register the directives; Sphinx calls it.

    :param app: Sphinx.
    :returns: what the extension can do.
    """
    app.add_directive('api-operation', ApiOperation)
    app.add_directive('api-object', ApiObject)
    app.add_directive('api-refusals', ApiRefusals)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
