# SPDX-License-Identifier: Apache-2.0

"""Sphinx directives that draw: ``sequence`` and ``graph``.

Both need ``:alt:``, what is read out to who does not see it. HTML gets SVG in
the page, other formats the source, which can be read as it is. Nothing is
fetched, and no other program is needed.
"""

import typing as ty

import drawing
import graphs
import sequences
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

_DRAWN_BY = {'graph': graphs.svg, 'sequence': sequences.svg}


class Diagram(SphinxDirective):
    """What is drawn from the lines of the directive."""

    has_content = True
    option_spec: ty.ClassVar = {'alt': directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the picture, and the source where there are none."""
        alternative = ' '.join(self.options.get('alt', '').split())
        if not alternative:
            raise self.error('a diagram needs :alt:')
        try:
            svg = _DRAWN_BY[self.name](list(self.content), alternative)
        except drawing.DiagramError as exc:
            raise self.error(str(exc)) from exc
        source = '\n'.join(self.content)
        elsewhere = addnodes.only(expr='not html')
        elsewhere += nodes.literal_block(source, source, language='none')
        picture = f'<p class="diagram">{svg}</p>'
        return [nodes.raw('', picture, format='html'), elsewhere]


def setup(app: ty.Any) -> dict[str, bool]:
    """Register the directives; Sphinx calls it.

    :param app: Sphinx.
    :returns: what the extension can do.
    """
    for name in _DRAWN_BY:
        app.add_directive(name, Diagram)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
