"""Typeset equations: TeX to SVG by ziamath, broken into lines, in the colours of the theme."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from PySide6.QtCore import QByteArray, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgRenderer

from ebmlab.paint.boxes import INK, SIZE, Box, draw, recall
from ebmlab.paint.look import Palette
from ebmlab.spec import FAMILIES, page

_POSITIVE, _NEGATIVE = "#010102", "#010103"
_POSITIVES = re.compile(r"x\^\+|x\^\{\+\}|\\mathbb\{E\}_(\{p\}|p\b)")
_NEGATIVES = re.compile(r"x\^-|x\^\{-\}|p_\\theta|p_\{\\theta\}|\\mathbb\{E\}_(\{q\}|q\b)")
_OPERATORS = re.compile(r"[=+-]|\\(?:leftarrow|propto|approx|sim|le|ge|leq|geq|mapsto)(?![a-zA-Z])")
_FENCES = re.compile(r"\\(left|right)(?![a-zA-Z])\s*(\\[a-zA-Z]+|\\.|.)")
_QUADS = re.compile(r"\\q?quad(?![a-zA-Z])")


_known: dict[str, Box] = {}


def typeset(tex: str) -> Box:
    """Returns a typeset piece of TeX; it takes some tens of milliseconds the first time if it was not drawn ahead."""

    return _recalled(tex) or _known.setdefault(tex, draw(tex))


def _recalled(tex: str) -> Box | None:
    """Returns a typeset piece if that takes no time."""

    if tex not in _known and (box := recall(tex)) is not None:
        _known[tex] = box
    return _known.get(tex)


def paint(svg: str, palette: Palette) -> str:
    """Returns the SVG with the placeholders replaced: ink, blue positive phase, orange negative phase."""

    for placeholder, colour in ((INK, palette.ink), (_POSITIVE, palette.blue), (_NEGATIVE, palette.orange)):
        svg = svg.replace(placeholder, colour)
    return svg


def split(tex: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Yields the parts of TeX that begin where the pattern matches outside of all brackets."""

    depth, start, i = 0, 0, 0
    while i < len(tex):
        found = pattern.match(tex, i)
        if found and depth == 0 and not tex[:i].rstrip().endswith(("^", "_")):
            if tex[start:i].strip() and not pattern.fullmatch(tex[start:i].strip()):
                yield tex[start:i].strip()
                start = i
            i = found.end()
            continue
        if fence := _FENCES.match(tex, i):
            depth += 1 if fence[1] == "left" else -1
            i = fence.end()
            continue
        depth += (tex[i] in "{([") - (tex[i] in "})]")
        i += 2 if tex[i] == "\\" else 1
    yield tex[start:].strip()


def pieces(tex: str) -> list[str]:
    """Returns the formulas that wide spaces hold apart."""

    return [found for part in split(tex, _QUADS) if (found := _QUADS.sub("", part, count=1).strip())]


def terms(tex: str) -> list[str]:
    """Returns the terms of a formula, each with its operator in front, the two phases coloured if there are both."""

    found = list(split(tex, _OPERATORS))
    if not (_POSITIVES.search(tex) and _NEGATIVES.search(tex)):
        return found
    return [_coloured(term) for term in found]


def _coloured(term: str) -> str:
    colour = _NEGATIVE if _NEGATIVES.search(term) else _POSITIVE if _POSITIVES.search(term) else ""
    operator = _OPERATORS.match(term)
    head = operator[0] if operator else ""
    return f"{head} \\textcolor{{{colour}}}{{{term[len(head) :].strip()}}}" if colour else term


def catalogue() -> list[str]:
    """Returns every piece of TeX that the equations of the registered components can be broken into."""

    import ebmlab.session.gallery  # noqa: F401  fills the families

    pages = (page(cls) for registry in FAMILIES.values() for cls in registry.values())
    formulas = [terms(piece) for p in pages for equation in p.equations for piece in pieces(equation)]
    return sorted({" ".join(f[i:j]) for f in formulas for i in range(len(f)) for j in range(i + 1, len(f) + 1)})


def lines(equations: tuple[str, ...], width: float, set_in: Callable[[str], Box] = typeset) -> list[list[str]]:
    """Returns the pieces of TeX on every line, where no line is wider than it must be.

    Arguments:
        equations: The equations.
        width: The room there is.
        set_in: What typesets a piece.
    """

    def span(line: list[str]) -> float:
        return sum(set_in(piece).width for piece in line) + 2 * SIZE * (len(line) - 1)

    made: list[list[str]] = []
    for equation in equations:
        made.append([])
        for parts in map(terms, pieces(equation)):
            line = made[-1]
            if line and span([*line, " ".join(parts)]) > width:
                made.append(line := [])
            for run in _broken(parts, width, set_in):
                if line and span([*line, run]) > width:
                    made.append(line := [])
                line.append(run)
    return [line for line in made if line]


def missing(equations: tuple[str, ...], width: float) -> str | None:
    """Returns a piece that must be typeset before the lines can be made; None if all are."""

    try:
        lines(equations, width, _known_or_raise)
    except KeyError as unknown:
        return unknown.args[0]
    return None


def _known_or_raise(tex: str) -> Box:
    if (box := _recalled(tex)) is None:
        raise KeyError(tex)
    return box


def _broken(parts: list[str], width: float, set_in: Callable[[str], Box]) -> Iterator[str]:
    """Yields the terms joined into runs that fit, found by the widths of the single terms."""

    whole = " ".join(parts)
    if len(parts) == 1 or set_in(whole).width <= width:
        yield whole
        return
    run: list[str] = []
    for i, part in enumerate(parts):
        room = 1.3 * width if i == 1 else width  # rather shrunk than with its left side alone
        if run and sum(set_in(p).width for p in [*run, part]) > room:
            yield " ".join(run)
            run = []
        run.append(part)
    yield " ".join(run)


def draw_row(painter: QPainter, row: list[Box], width: float, pad: float, palette: Palette) -> None:
    """Draws one line in the middle of the width, shrunk if even its smallest piece is too wide."""

    total = sum(b.width for b in row) + 2 * SIZE * (len(row) - 1)
    shrink = min(1.0, (width - 2 * pad) / total)
    painter.save()
    painter.translate((width - total * shrink) / 2, 0)
    painter.scale(shrink, shrink)
    baseline, x = max(b.ascent for b in row), 0.0
    for box in row:
        place = QRectF(x, baseline - box.ascent, box.width, box.ascent + box.descent)
        QSvgRenderer(QByteArray(paint(box.svg, palette).encode())).render(painter, place)
        x += box.width + 2 * SIZE
    painter.restore()
