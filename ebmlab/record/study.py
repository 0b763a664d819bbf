"""A picture of a study beyond the plane: error and cost of each method against the dimension."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from ebmlab.engine.dimension import Row

WIDE, HIGH, GAP, HEAD, FOOT, SIDE = 560, 420, 16, 72, 30, 64
COLOURS = ("#58a6ff", "#f0a04b", "#7ee787", "#ff7b72", "#d2a8ff", "#e3c541", "#76e3ea", "#ff9bce")
INK, MUTED, GROUND, GRID = "#f2f3f5", "#8d95a3", "#15171b", "#2a2e36"

Figure = Callable[[Row], float]


class Axes(NamedTuple):
    """A chart's place on the sheet and what it spans, as logarithms: to base 2 across, to base 10 upwards."""

    left: int
    top: int
    across: tuple[float, float]
    up: tuple[float, float]

    def place(self, dim: float, value: float) -> tuple[float, float]:
        """Returns the pixel of a dimension and a figure above 0; what exceeds the chart lies on its edge."""

        (x0, x1), (y0, y1) = self.across, self.up
        x = (math.log2(dim) - x0) / ((x1 - x0) or 1.0)
        y = (min(max(math.log10(max(value, 1e-300)), y0), y1) - y0) / ((y1 - y0) or 1.0)
        return self.left + x * WIDE, self.top + (1 - y) * HIGH


def save_study(rows: Sequence[Row], path: str | os.PathLike[str], title: str) -> None:
    """Draws a study into a PNG file, beside and renamed."""

    path = Path(path)
    beside = path.with_name(path.name + ".part")
    draw_study(rows, title).save(beside, format="PNG")
    beside.replace(path)


def draw_study(rows: Sequence[Row], title: str) -> Image.Image:
    """Returns the picture: the error in nats on the left, the energies evaluated on the right, the methods below."""

    kinds = list(dict.fromkeys(row.method for row in rows))
    lines = math.ceil(len(kinds) / 4)
    size = 2 * (SIDE + WIDE + GAP) + GAP, HEAD + HIGH + FOOT + 26 * lines + GAP
    sheet = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), f"log Z of {title} as the dimension grows", INK, _font(20))
    charts: tuple[tuple[str, Figure], ...] = (
        ("error, nats", lambda row: row.error),
        ("energies evaluated", lambda row: float(row.evaluations) if math.isfinite(row.log_z) else math.nan),
    )
    for i, (name, figure) in enumerate(charts):
        axes = _axes(rows, figure, SIDE + i * (SIDE + WIDE + GAP))
        _draw_axes(pen, axes, name, sorted({row.dim for row in rows}))
        for j, kind in enumerate(kinds):
            _draw_curve(pen, axes, [(row.dim, figure(row)) for row in rows if row.method == kind], j)
    for j, kind in enumerate(kinds):
        x, y = SIDE + j % 4 * (size[0] - SIDE) // 4, HEAD + HIGH + FOOT + 26 * (j // 4)
        _stroke(pen, [(x, y + 10), (x + 30, y + 10)], j)
        pen.text((x + 38, y), kind, INK, _font(15))
    return sheet


def _axes(rows: Sequence[Row], figure: Figure, left: int) -> Axes:
    values = [value for value in map(figure, rows) if math.isfinite(value) and value > 0]
    low, high = (math.log10(value) for value in (min(values, default=0.1), max(values, default=10.0)))
    dims = [math.log2(row.dim) for row in rows] or [0.0]
    across = (min(dims), max(max(dims), min(dims) + 1))
    return Axes(left, HEAD, across, (max(math.floor(low), math.floor(high) - 8.0), math.floor(high) + 1.0))


def _draw_axes(pen: ImageDraw.ImageDraw, axes: Axes, name: str, dims: Sequence[int]) -> None:
    pen.text((axes.left, axes.top - 24), name, MUTED, _font(15))
    for power in range(int(axes.up[0]), int(axes.up[1]) + 1):
        _, y = axes.place(1, 10.0**power)
        pen.line((axes.left, y, axes.left + WIDE, y), GRID)
        pen.text((axes.left - 8, y), f"1e{power}", MUTED, _font(13), anchor="rm")
    for dim in dims:
        x, _ = axes.place(dim, 1.0)
        pen.text((x, axes.top + HIGH + 6), str(dim), MUTED, _font(13), anchor="mt")
    pen.text((axes.left + WIDE / 2, axes.top + HIGH + 20), "d", MUTED, _font(13), anchor="mt")


def _draw_curve(pen: ImageDraw.ImageDraw, axes: Axes, points: Sequence[tuple[int, float]], index: int) -> None:
    """Draws a curve with a dot at each figure; it breaks where there is none."""

    run: list[tuple[float, float]] = []
    for dim, value in [*points, (1, math.nan)]:
        if math.isfinite(value):
            run.append(axes.place(dim, value))
            continue
        _stroke(pen, run, index)
        for x, y in run:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), _colour(index))
        run = []


def _stroke(pen: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], index: int) -> None:
    """Draws a line; those that come after all colours have been used are thinner."""

    if len(points) > 1:
        pen.line(list(points), _colour(index), 3 if index < len(COLOURS) else 1)


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
