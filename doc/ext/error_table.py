# SPDX-License-Identifier: Apache-2.0

"""Sphinx directives that take the errors from the code.

``error-table`` lists all errors, each with a link to the target
``error-<class>``: one that the documentation does not explain breaks the
build. ``error-message`` shows what a person reads.
"""

import re
import typing as ty

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.util.docutils import SphinxDirective

from nova_cyborg import exception

_ARGUMENT = re.compile(r'%\((\w+)\)[sd]')


def _sentence(error: type[exception.DeviceContextError]) -> str:
    return _ARGUMENT.sub(r'<\1>', error.message)


class ErrorTable(SphinxDirective):
    """A table of all errors: the code, the HTTP status and the sentence."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        errors = [
            exception.DeviceContextError,
            *exception.all_errors(),
        ]
        lines = [
            '.. list-table::',
            '   :header-rows: 1',
            '   :widths: 40 10 50',
            '',
            '   * - Code',
            '     - Status',
            '     - Sentence',
        ]
        for error in errors:
            # Each word of the table is a literal or prose without markup.
            sentence = _sentence(error).replace('*', r'\*')
            lines += [
                f'   * - :ref:`{error.error_code} <error-{error.__name__}>`',
                f'     - {error.status}',
                f'     - {sentence}',
            ]
        return self.parse_text_to_nodes('\n'.join(lines))


class ErrorMessage(Directive):
    """The sentence of an error, with its code and HTTP status."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the sentence as a quotation, and what it stands for."""
        error = getattr(exception, self.arguments[0])
        quote = nodes.block_quote()
        quote += nodes.paragraph(text=_sentence(error))
        code = nodes.paragraph()
        code += nodes.Text('Code: ')
        code += nodes.literal(text=error.error_code)
        code += nodes.Text(
            f'; HTTP status or code of the fault: {error.status}'
        )
        return [quote, code]


def setup(app: ty.Any) -> dict[str, bool]:
    """Register the directives; Sphinx calls it.

    :param app: Sphinx.
    :returns: what the extension can do.
    """
    app.add_directive('error-table', ErrorTable)
    app.add_directive('error-message', ErrorMessage)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
