"""Typeset pieces of TeX: read from the file they were drawn to ahead, or drawn by ziamath."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from ebmlab.assets import assets

SIZE = 15
INK = "#010101"
FILE = "equations.json"
_CLOSE = 0.006  # of a pixel; drawing the same glyph elsewhere rounds it otherwise
_GLYPH = re.compile(r'<path d="([^"]*)"')
_REFERENCE = re.compile(r"<(\d+) (\S+) (\S+)>")
_NUMBER = re.compile(r"-?[\d.]+")


class Box(NamedTuple):
    """A typeset piece: its SVG in placeholder colours, and how far it reaches from the start of its baseline."""

    svg: str
    left: float
    width: float
    ascent: float
    descent: float


def draw(tex: str) -> Box:
    """Returns a piece of TeX as ziamath sets it, which takes some tens of milliseconds.

    What ziamath cannot read is set as plain text, so that a page is never empty.
    """

    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        import ziamath  # here, since it takes a third of a second

    ziamath.config.svg2 = False  # QtSvg draws only fragments of SVG 2
    try:
        svg = ziamath.Latex(tex, size=SIZE, color=INK).svg()
    except Exception:  # the parser beneath raises errors of many kinds
        svg = ziamath.Text(re.sub(r"[\\{}$^_]", " ", tex), size=SIZE, color=INK).svg()
    svg = svg.replace('fill="black"', f'fill="{INK}"')  # overlines ignore the colour asked for
    found = re.search(r'viewBox="(\S+) (\S+) (\S+) (\S+)"', svg)
    x, y, w, h = (float(v) for v in found.groups()) if found else (0.0, 0.0, 0.0, 0.0)
    return Box(svg, x, w, -y, h + y)


def recall(tex: str) -> Box | None:
    """Returns a piece of TeX that was drawn ahead; None if it was not."""

    return unpack(_stored(), tex)


@cache
def _stored() -> dict[str, Any]:
    try:
        return json.loads((assets() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return pack([])


def pack(drawn: Iterable[tuple[str, Box]]) -> dict[str, Any]:
    """Returns pieces and their boxes as plain data, every shape of a glyph held once."""

    glyphs = _Glyphs()
    pieces = {}
    for tex, box in drawn:
        body = box.svg[box.svg.index(">") + 1 : box.svg.rindex("</svg>")]
        body = _GLYPH.sub(lambda m: glyphs.refer(m[1]), body).replace(f' fill="{INK}"', "")
        pieces[tex] = [body, *(round(length, 3) for length in box[1:])]
    return {"glyphs": glyphs.shapes, "pieces": pieces}


def unpack(packed: dict[str, Any], tex: str) -> Box | None:
    """Returns the box of a piece out of packed ones; None if it is not there."""

    if (found := packed["pieces"].get(tex)) is None:
        return None
    body, left, width, ascent, descent = found
    glyphs = packed["glyphs"]
    body = _REFERENCE.sub(lambda m: f'<path transform="translate({m[2]} {m[3]})" d="{glyphs[int(m[1])]}"', body)
    view = f"{left:g} {-ascent:g} {width:g} {ascent + descent:g}"
    return Box(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" fill="{INK}">{body}</svg>', *found[1:])


class _Glyphs:
    """Collects shapes, each moved to where its first point is the origin."""

    def __init__(self) -> None:
        self.shapes: list[str] = []
        self._alike: dict[str, list[tuple[int, list[float]]]] = {}

    def refer(self, path: str) -> str:
        """Returns what stands for the beginning of a path element: the number of its shape, and its place."""

        numbers = [float(v) for v in _NUMBER.findall(path)]
        x, y = numbers[:2]
        moved = [v - (y if i % 2 else x) for i, v in enumerate(numbers)]
        return f"<{self._number(_NUMBER.sub('{}', path).strip(), moved)} {x:g} {y:g}>"

    def _number(self, commands: str, moved: list[float]) -> int:
        alike = self._alike.setdefault(commands, [])
        for index, known in alike:
            if all(abs(a - b) < _CLOSE for a, b in zip(known, moved)):
                return index
        self.shapes.append(commands.replace(" ", "").format(*(f"{round(v, 2) + 0.0:g} " for v in moved)).strip())
        alike.append((len(self.shapes) - 1, moved))
        return len(self.shapes) - 1
