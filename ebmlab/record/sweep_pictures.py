"""Pages of pictures of a sweep: the model of every run, ordered and labelled by the knobs that vary."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ebmlab.record.figure import draw_thumbnail
from ebmlab.session.archive import load_run
from ebmlab.session.checkpoint import open_run
from ebmlab.session.tried import Tried

SIDE, GAP, HEAD, LINE = 132, 14, 48, 17
ACROSS, DOWN = 10, 8
"""The most pictures in a row, and rows on a page."""

INK, MUTED, GROUND, BAD = "#f2f3f5", "#8d95a3", "#15171b", "#ff7b72"


def draw_models(rows: Sequence[Tried]) -> Iterator[Image.Image]:
    """Yields a small picture of each run's model: its density, or its energy where it has none.

    Raises:
        BadInput: If the session of a run cannot be read.
    """

    for row in rows:
        both = draw_thumbnail(open_run(load_run(row.session), "cpu"), row.figure("log_z"), SIDE)
        yield both.convert("RGB").crop((both.width - SIDE, 0, both.width, SIDE))


def save_pages(rows: Sequence[Tried], pictures: Sequence[Image.Image], title: str, path: str | os.PathLike[str]) -> int:
    """Draws the pages into PNG files, beside and renamed: ``pictures.png``, ``pictures-2.png``, ...; returns how many.

    Arguments:
        rows: The runs.
        pictures: The picture of each.
        title: What is written on top.
        path: The file of the first page.
    """

    first = Path(path)
    pages = list(draw_pages(rows, pictures, title))
    for i, page in enumerate(pages):
        here = first if i == 0 else first.with_stem(f"{first.stem}-{i + 1}")
        beside = here.with_name(here.name + ".part")
        page.save(beside, format="PNG")
        beside.replace(here)
    return len(pages)


def draw_pages(rows: Sequence[Tried], pictures: Sequence[Image.Image], title: str) -> Iterator[Image.Image]:
    """Yields the pages: grids in whose rows the knobs that vary fastest go through all values, where that fits."""

    across = width(rows)
    size = across * DOWN
    count = math.ceil(len(rows) / size)
    for i in range(count):
        part = slice(i * size, (i + 1) * size)
        number = f"   page {i + 1} of {count}" if count > 1 else ""
        yield _page(rows[part], pictures[part], title + number, across)


def width(rows: Sequence[Tried]) -> int:
    """Returns how many pictures a row of the grid has."""

    periods = [1]
    for kept in range(len(rows[0].knobs) if rows else 0):
        slow = [row.knobs[:kept] for row in rows]
        periods.append(next((i for i, knobs in enumerate(slow) if knobs != slow[0]), len(rows)))
    period = max(p for p in periods if p <= ACROSS)
    return max(1, min(len(rows), period * (ACROSS // period)))


def _page(rows: Sequence[Tried], pictures: Sequence[Image.Image], title: str, across: int) -> Image.Image:
    lines = 1 + max((len(_label(row)) for row in rows), default=0)
    cell = SIDE + GAP, SIDE + lines * LINE + GAP
    size = max(across * cell[0] + GAP, 480), HEAD + math.ceil(len(rows) / across) * cell[1] + GAP
    sheet = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), title, INK, _font(18))
    for i, (row, picture) in enumerate(zip(rows, pictures, strict=True)):
        x, y = GAP + i % across * cell[0], HEAD + i // across * cell[1]
        sheet.paste(picture, (x, y))
        kl = row.figure("kl")
        verdict = "diverged" if row.diverged else "no KL" if kl is None else f"KL {kl:.3g}"
        pen.text((x, y + SIDE + 2), verdict, BAD if row.diverged else INK, _font(13))
        for j, text in enumerate(_label(row)):
            pen.text((x, y + SIDE + 2 + (j + 1) * LINE), _fitted(pen, text), MUTED, _font(12))
    return sheet


def _label(row: Tried) -> list[str]:
    """Returns the knobs of a run, each by the last name of its path."""

    return [f"{path.rpartition('.')[2]} {_short(value)}" for path, value in row.knobs]


def _short(value: object) -> str:
    if isinstance(value, dict) and "kind" in value:
        return " ".join([str(value["kind"]), *(f"{name} {_short(v)}" for name, v in value.items() if name != "kind")])
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _fitted(pen: ImageDraw.ImageDraw, text: str) -> str:
    font = _font(12)
    if pen.textlength(text, font) <= SIDE:
        return text
    while text and pen.textlength(text + "…", font) > SIDE:
        text = text[:-1]
    return text + "…"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
