# SPDX-License-Identifier: Apache-2.0

"""A Sphinx directive that shows the release notes: ``notes-by-release``.

Its argument is which sections to show, of those that have titles here.
"""

import pathlib
import typing as ty

import notes
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

_ROOT = pathlib.Path(__file__).parents[2]
_TITLES = {
    'prelude': 'In short',
    'upgrade': 'What to do, and to know',
    'security': 'Security',
    'deprecations': 'What will go',
    'features': 'New',
    'fixes': 'Fixed',
    'issues': 'Known faults',
    'other': 'Other',
}


class NotesByRelease(SphinxDirective):
    """The notes of each release, the newest first."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each release."""
        self.env.note_reread()
        sections = {name: _TITLES[name] for name in self.arguments[0].split()}
        text = '\n'.join(notes.lines(notes.by_release(_ROOT), sections))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: ty.Any) -> dict[str, bool]:
    """Register the directive; Sphinx calls it.

    :param app: Sphinx.
    :returns: what the extension can do.
    """
    app.add_directive('notes-by-release', NotesByRelease)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
