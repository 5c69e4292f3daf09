# SPDX-License-Identifier: Apache-2.0

"""What diagrams are drawn with: boxes, lines and texts, as SVG.

Everything has the colour of the text around it, and nothing has a background,
so that a page may be light or dark. Nothing has an id, so that a page may have
many. Fonts are not asked how wide a text is: it is taken to be as wide as that
of a wide font is on the average, and there is room around it.
"""

import dataclasses
import html
import math
import textwrap

# Of a font that is 13 pixels high.
_CHARACTER = 7.3
_FONT = 13
LINE = 16
_BOX_HEIGHT = 32
_HEAD = 9

Point = tuple[float, float]


class DiagramError(Exception):
    """The source of a diagram cannot be drawn."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """A rectangle: its middle, width and height."""

    x: float
    y: float
    width: float
    height: float

    def edge_towards(self, to: Point) -> float:
        """Return which part of the way to a point is within.

        :param to: the point.
        :returns: 0 at the middle, 1 at the point.
        """
        across, down = abs(to[0] - self.x), abs(to[1] - self.y)
        return min(
            self.width / 2 / across if across else math.inf,
            self.height / 2 / down if down else math.inf,
            1,
        )


def wrapped(text: str, width: float) -> list[str]:
    """Return the lines of a text.

    :param text: the text.
    :param width: how wide a line may be. A longer word stays whole.
    :returns: the lines.
    """
    return textwrap.wrap(
        text,
        max(1, int(width / _CHARACTER)),
        break_long_words=False,
        break_on_hyphens=False,
    )


def size_of(lines: list[str]) -> tuple[float, float]:
    """Return how wide and high lines of text are.

    :param lines: the lines.
    :returns: the width and the height.
    """
    longest = max((len(line) for line in lines), default=0)
    return longest * _CHARACTER, len(lines) * LINE


def box_of(name: str, middle: Point) -> Frame:
    """Return the frame of a box with a name in it.

    :param name: the name.
    :param middle: where it is.
    :returns: the frame.
    """
    return Frame(*middle, size_of([name])[0] + 26, _BOX_HEIGHT)


class Drawing:
    """SVG that grows."""

    def __init__(self, width: float, height: float) -> None:
        """Begin.

        :param width: in pixels, on a page that has the room.
        :param height: in pixels.
        """
        self._width = width
        self._height = height
        self._parts: list[str] = []

    def box(self, name: str, frame: Frame, bold: bool = False) -> None:
        """Draw a box.

        :param name: what is in it.
        :param frame: where.
        :param bold: whether it stands out.
        """
        self._parts.append(
            f'<rect x="{frame.x - frame.width / 2:.1f}"'
            f' y="{frame.y - frame.height / 2:.1f}"'
            f' width="{frame.width:.1f}" height="{frame.height:.1f}"'
            f' rx="5" stroke-width="{2.5 if bold else 1}"/>'
        )
        self.text([name], (frame.x, frame.y), bold)

    def text(
        self, lines: list[str], middle: Point, bold: bool = False
    ) -> None:
        """Write lines, one below the other.

        :param lines: the lines.
        :param middle: where their middle is.
        :param bold: whether they stand out.
        """
        x, y = middle
        # Where a line is written is its foot, not its middle.
        top = y - (len(lines) - 1) * LINE / 2 + _FONT * 0.35
        weight = ' font-weight="bold"' if bold else ''
        for number, line in enumerate(lines):
            self._parts.append(
                f'<text x="{x:.1f}" y="{top + number * LINE:.1f}"'
                f' stroke="none" fill="currentColor"'
                f'{weight}>{html.escape(line)}</text>'
            )

    def line(self, start: Point, end: Point, dashed: bool = False) -> None:
        """Draw a line.

        :param start: where from.
        :param end: where to.
        :param dashed: whether it is dashed.
        """
        dashes = ' stroke-dasharray="5 4"' if dashed else ''
        self._parts.append(
            f'<path d="M{start[0]:.1f} {start[1]:.1f}'
            f' L{end[0]:.1f} {end[1]:.1f}"{dashes}/>'
        )

    def arrow(self, start: Point, end: Point, dashed: bool = False) -> None:
        """Draw a line with a head at its end.

        :param start: where from.
        :param end: where to.
        :param dashed: whether the line is dashed.
        """
        self.line(start, end, dashed)
        along = math.atan2(end[1] - start[1], end[0] - start[0])
        corners = [
            (
                end[0] - _HEAD * math.cos(along + turn),
                end[1] - _HEAD * math.sin(along + turn),
            )
            for turn in (0.4, -0.4)
        ]
        points = ' '.join(f'{x:.1f},{y:.1f}' for x, y in [end, *corners])
        self._parts.append(f'<polygon points="{points}" fill="currentColor"/>')

    def svg(self, alternative: str) -> str:
        """Return it.

        :param alternative: what is read out to who does not see it.
        :returns: an element of HTML.
        """
        size = f'{self._width:.0f} {self._height:.0f}'
        return '\n'.join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" role="img"'
                f' aria-label="{html.escape(alternative)}"'
                f' viewBox="0 0 {size}" width="{self._width:.0f}"'
                f' style="max-width: 100%; height: auto"'
                f' fill="none" stroke="currentColor" font-size="{_FONT}"'
                f' font-family="sans-serif" text-anchor="middle">',
                f'<title>{html.escape(alternative)}</title>',
                *self._parts,
                '</svg>',
            ]
        )
