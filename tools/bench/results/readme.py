# SPDX-License-Identifier: Apache-2.0

"""The plot in the README, beside the sentence that it shows."""

import pathlib

#: The picture's name, without its suffix.
PICTURE = 'readme'
# Below this heading.
_HEADING = 'What it costs'
_UNDERLINE = '-' * len(_HEADING)
_TEXT = 'What the accelerator adds to the boot of a server'


def show(readme: pathlib.Path, plot: pathlib.Path) -> None:
    """Have the README show the plot; does nothing if it does.

    :param readme: the README.
    :param plot: the picture, which is below the folder of the README.
    :raises ValueError: if the README has no place for it.
    """
    text = readme.read_text()
    lines = image(plot.relative_to(readme.parent))
    if lines in text:
        return
    heading = f'{_HEADING}\n{_UNDERLINE}\n\n'
    before, found, after = text.partition(heading)
    if not found:
        raise ValueError(f'{readme} has no heading "{_HEADING}"')
    readme.write_text(f'{before}{heading}{lines}\n{after}')


def image(plot: pathlib.PurePath) -> str:
    """Return what shows a picture in a document.

    :param plot: the picture, as the document names it.
    :returns: some lines of reStructuredText.
    """
    return f'.. image:: {plot.as_posix()}\n   :alt: {_TEXT}\n'
