# SPDX-License-Identifier: Apache-2.0

"""Diagrams of boxes, and of what leads from one to another.

The source first has the boxes, as they lie: two spaces or more part them, and
a dot is a place without one. A box in asterisks stands out, and one in
parentheses is a text alone. A line each says then what leads where::

    (new)  available  *reserved*
    .      .          bound

    new -> available
    available -> reserved: a server is booted with it

Lines are straight: lay the boxes so that none is in the way.
"""

import dataclasses
import math
import re

import drawing

_GAP = re.compile(r'\s{2,}')
_ARROW = re.compile(r'([^:>]+?) (--?>) ([^:]+?)(?:: (.+))?')
_MARGIN = 14
# Two lines of text fit above the boxes of the first row.
_TOP = 40
_ROW = 104
_BESIDE = 166
_LABEL = 140
# How far two are apart that lead there and back.
_APART = 9


@dataclasses.dataclass(frozen=True)
class _Arrow:
    start: str
    end: str
    text: str
    dashed: bool


def _parsed(source: list[str]) -> tuple[list[list[str]], list[_Arrow]]:
    rows: list[list[str]] = []
    arrows: list[_Arrow] = []
    for line in (line.strip() for line in source if line.strip()):
        found = _ARROW.fullmatch(line)
        if found:
            dashed = found[2] == '-->'
            arrows.append(_Arrow(found[1], found[3], found[4] or '', dashed))
        else:
            rows.append(_GAP.split(line))
    names = {cell.strip('*()') for row in rows for cell in row}
    for arrow in arrows:
        if not {arrow.start, arrow.end} <= names:
            raise drawing.DiagramError(f'not between {names}: {arrow}')
    if not arrows:
        raise drawing.DiagramError('boxes, and then arrows, are needed')
    return rows, arrows


def _frames(rows: list[list[str]]) -> dict[str, drawing.Frame]:
    count = max(len(row) for row in rows)
    widths = [
        max(
            drawing.box_of(row[column], (0, 0)).width
            for row in rows
            if column < len(row)
        )
        for column in range(count)
    ]
    frames = {}
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            x = _MARGIN + sum(widths[:column]) + column * _BESIDE
            middle = x + widths[column] / 2, _TOP + number * _ROW
            name = cell.strip('*()')
            if name != '.':
                frames[name] = drawing.box_of(name, middle)
    return frames


def svg(source: list[str], alternative: str) -> str:
    """Draw boxes and arrows.

    :param source: its lines.
    :param alternative: what is read out to who does not see it.
    :returns: an element of HTML.
    :raises DiagramError: if an arrow is not between two of the boxes.
    """
    rows, arrows = _parsed(source)
    frames = _frames(rows)
    picture = drawing.Drawing(
        max(f.x + f.width / 2 for f in frames.values()) + _MARGIN,
        max(f.y + f.height / 2 for f in frames.values()) + _MARGIN,
    )
    for cell in (cell for row in rows for cell in row if cell != '.'):
        frame = frames[cell.strip('*()')]
        if cell.startswith('('):
            picture.text([cell.strip('()')], (frame.x, frame.y))
        else:
            name = cell.strip('*')
            picture.box(name, frame, bold=cell.startswith('*'))
    both_ways = {(arrow.end, arrow.start) for arrow in arrows}
    for arrow in arrows:
        _draw(
            picture,
            arrow,
            (frames[arrow.start], frames[arrow.end]),
            (arrow.start, arrow.end) in both_ways,
        )
    return picture.svg(alternative)


def _draw(
    picture: drawing.Drawing,
    arrow: _Arrow,
    frames: tuple[drawing.Frame, drawing.Frame],
    is_one_of_two: bool,
) -> None:
    """Draw an arrow, and its text in a gap of it, or above it."""
    one, other = frames
    across, down = other.x - one.x, other.y - one.y
    aside = _APART if is_one_of_two else 0
    # Along the side that the line leaves through, so that it ends at a side.
    shift = (
        (0, math.copysign(aside, across))
        if abs(across) * one.height > abs(down) * one.width
        else (math.copysign(aside, -down), 0)
    )

    def at(part: float) -> drawing.Point:
        return (
            one.x + across * part + shift[0],
            one.y + down * part + shift[1],
        )

    start = one.edge_towards((other.x, other.y))
    end = 1 - other.edge_towards((one.x, one.y))
    middle = (start + end) / 2
    if not down:
        lines = drawing.wrapped(arrow.text, abs(across) * (end - start) - 12)
        above = drawing.size_of(lines)[1] / 2 + 4
        side = 1 if shift[1] > 0 else -1
        x, y = at(middle)
        picture.text(lines, (x, y + side * above))
        picture.arrow(at(start), at(end), arrow.dashed)
        return
    lines = drawing.wrapped(arrow.text, _LABEL)
    width, height = drawing.size_of(lines)
    if is_one_of_two or not lines:
        # Beside the line, where the other one is not.
        beside = width / 2 + 6 + height / 2 * abs(across / down)
        x, y = at(middle)
        picture.text(lines, (x + math.copysign(beside, shift[0]), y))
        picture.arrow(at(start), at(end), arrow.dashed)
        return
    gap = drawing.Frame(*at(middle), width + 8, height + 4).edge_towards(
        (at(middle)[0] + across, at(middle)[1] + down)
    )
    picture.line(at(start), at(max(start, middle - gap)), arrow.dashed)
    picture.text(lines, at(middle))
    picture.arrow(at(min(end, middle + gap)), at(end), arrow.dashed)
