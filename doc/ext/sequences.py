# SPDX-License-Identifier: Apache-2.0

"""Diagrams of who tells whom what, in which order.

The source has a line with the names, from left to right, and a line a step::

    client, nova-api, nova-conductor

    client -> nova-api: boot, with the hint
    nova-api -> nova-conductor: RPC
    nova-api --> client: 202
    nova-conductor: before_scheduling

``->`` asks, ``-->`` answers, and a name alone says what it does itself.
"""

import dataclasses
import re

import drawing

_STEP = re.compile(
    r'(?P<who>[^:>]+?)(?: (?P<how>--?>) (?P<to>[^:]+))?: (?P<text>.+)'
)
_COLUMN = 142
_MARGIN = 12
_TOP = 20
_SPACE = 12


def _parsed(source: list[str]) -> tuple[list[str], list[re.Match[str]]]:
    lines = [line.strip() for line in source if line.strip()]
    names = [name.strip() for name in lines[0].split(',')] if lines else []
    steps = []
    for line in lines[1:]:
        step = _STEP.fullmatch(line)
        if not step or not {step['who'], step['to'] or names[0]} <= {*names}:
            raise drawing.DiagramError(f'not a step of {names}: {line}')
        steps.append(step)
    if not steps:
        raise drawing.DiagramError('names, and then steps, are needed')
    return names, steps


@dataclasses.dataclass(frozen=True)
class _Row:
    """A step, with its text laid out."""

    start: float
    end: float
    is_answer: bool
    lines: list[str]
    text: drawing.Frame

    @property
    def bottom(self) -> float:
        """Where the text ends."""
        return self.text.y + self.text.height / 2

    def covers(self, x: float) -> bool:
        """Return whether the text is over a line down the page."""
        return abs(self.text.x - x) < self.text.width / 2 + 2


def _laid_out(
    steps: list[re.Match[str]], places: dict[str, float]
) -> list[_Row]:
    rows: list[_Row] = []
    top = _TOP * 2.0 + _SPACE
    for step in steps:
        start, end = places[step['who']], places[step['to'] or step['who']]
        lines = drawing.wrapped(
            step['text'], (abs(end - start) or _COLUMN) - _SPACE
        )
        width, height = drawing.size_of(lines)
        frame = drawing.Frame(
            (start + end) / 2, top + height / 2, width, height
        )
        rows.append(_Row(start, end, step['how'] == '-->', lines, frame))
        top += height + (_SPACE if step['to'] else _SPACE / 2)
    return rows


def svg(source: list[str], alternative: str) -> str:
    """Draw a sequence.

    :param source: its lines.
    :param alternative: what is read out to who does not see it.
    :returns: an element of HTML.
    :raises DiagramError: if a line is no step, or names nobody.
    """
    names, steps = _parsed(source)
    places = {
        name: _MARGIN + (number + 0.5) * _COLUMN
        for number, name in enumerate(names)
    }
    rows = _laid_out(steps, places)
    end = rows[-1].bottom + _SPACE
    picture = drawing.Drawing(len(names) * _COLUMN + 2 * _MARGIN, end)
    for name, x in places.items():
        box = drawing.box_of(name, (x, _TOP))
        picture.box(name, box)
        # The line down leaves room for texts.
        top = _TOP + box.height / 2
        for row in rows:
            if row.covers(x):
                picture.line((x, top), (x, row.bottom - row.text.height))
                top = row.bottom
        picture.line((x, top), (x, end))
    for row in rows:
        picture.text(row.lines, (row.text.x, row.text.y))
        if row.start != row.end:
            y = row.bottom + 3
            picture.arrow((row.start, y), (row.end, y), row.is_answer)
    return picture.svg(alternative)
