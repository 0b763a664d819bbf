"""Pictures for print: PNG, SVG and PDF of a snapshot, and the numbers in them as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ebmlab.engine.types import Window
from ebmlab.paint import sheets
from ebmlab.paint.charts import CHARTS
from ebmlab.paint.fields import Fields
from ebmlab.paint.layout import Cell, Layout
from ebmlab.paint.scene import Scene
from ebmlab.paint.shows import SHOWS
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.spec import BadInput


def save_figure(layout: Layout, snapshot: Snapshot, path: Path) -> None:
    """Draws a snapshot, or writes down its numbers, as the file's ending says; beside and renamed.

    Raises:
        BadInput: If there is no such format, or no such folder.
    """

    make = _KINDS[check_figure(path)]
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(make(layout, snapshot))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def check_figure(path: Path) -> str:
    """Returns the ending of a picture's path.

    Raises:
        BadInput: If there is no such format, or no such folder.
    """

    ending = path.suffix.lower()
    if ending not in _KINDS:
        raise BadInput(f"no picture ends like this; end it in {', '.join(_KINDS)}", source=str(path))
    if not path.absolute().parent.is_dir():
        raise BadInput("there is no such folder to save in; make it first", source=str(path))
    if path.is_dir():
        raise BadInput("this is a folder; name a file", source=str(path))
    return ending


def is_figure(path: Path) -> bool:
    """Returns whether a path is that of a single picture, by its ending."""

    return path.suffix.lower() in _KINDS and "%" not in path.name


def lens_of(layout: Layout, window: Window) -> Lens:
    """Returns what a session must be asked for to draw a layout."""

    return Scene(layout, window).lens


def png(layout: Layout, snapshot: Snapshot) -> bytes:
    """Returns a picture of pixels."""

    return sheets.png(Scene(layout, snapshot.recipe.window).image(snapshot))


def svg(layout: Layout, snapshot: Snapshot) -> bytes:
    """Returns a drawing whose text, lines, curves and dots are such; only the fields themselves are pictures."""

    return sheets.svg(_vector(layout, snapshot), layout.size, _title(layout, snapshot))


def pdf(layout: Layout, snapshot: Snapshot) -> bytes:
    """Returns the same on one page, whose size is that of the picture at 96 pixels to the inch."""

    return sheets.pdf(_vector(layout, snapshot), layout.size, _title(layout, snapshot))


def _vector(layout: Layout, snapshot: Snapshot) -> sheets.Paint:
    scene = Scene(layout, snapshot.recipe.window, vector=True)
    return lambda painter: scene.paint(painter, snapshot)


def _title(layout: Layout, snapshot: Snapshot) -> str:
    return layout.caption or f"{layout.text}, step {snapshot.step}"


def data(layout: Layout, snapshot: Snapshot) -> bytes:
    """Returns the numbers in a picture as CSV: a line for each point of a curve and each value of a field.

    The columns are ``figure`` (pane or chart), ``curve``, ``x``, ``y``, ``value`` and ``stderr``; x is the step on a
    chart, x and y a point of the plane in a pane.
    """

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("figure", "curve", "x", "y", "value", "stderr"))
    for cell in layout.cells:
        writer.writerows(_chart_rows(cell, snapshot) if cell.is_chart else _pane_rows(cell, snapshot))
    return text.getvalue().encode()


def _chart_rows(cell: Cell, snapshot: Snapshot) -> Iterator[tuple[str, ...]]:
    for curve in CHARTS[cell.name]().read(snapshot).curves:
        errors = np.full(len(curve.x), np.nan) if curve.error is None else curve.error
        for x, y, error in zip(curve.x, curve.y, errors, strict=True):
            yield cell.name, curve.label, f"{x:g}", "", f"{y:.10g}", "" if math.isnan(error) else f"{error:.6g}"


def _pane_rows(cell: Cell, snapshot: Snapshot) -> Iterator[tuple[str, ...]]:
    field = SHOWS[cell.name].picture(Fields(snapshot), True).field
    if field is not None:
        left, right, bottom, top = snapshot.lens.window
        rows, columns = field.shape
        x = left + (right - left) * (np.arange(columns) + 0.5) / columns
        y = bottom + (top - bottom) * (np.arange(rows) + 0.5) / rows
        for j, i in np.ndindex(rows, columns):
            yield cell.name, "", f"{x[i]:.8g}", f"{y[j]:.8g}", f"{field[j, i]:.8g}", ""
    for name in ("data", "negatives", "particles"):
        if name in cell.overlays:
            yield from ((cell.name, name, f"{x:.8g}", f"{y:.8g}", "", "") for x, y in getattr(snapshot, name))


_KINDS: dict[str, Callable[[Layout, Snapshot], bytes]] = {".png": png, ".svg": svg, ".pdf": pdf, ".csv": data}
