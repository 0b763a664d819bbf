"""What a film or a picture shows and where: a short text such as ``energy,model|likelihood,log-z``.

``|`` separates columns, ``,`` what stands one below the other in a column. Each is a pane (a key of ``SHOWS``) or a
chart (a key of ``CHARTS``). ``energy+data+modes`` lays data and modes over a pane besides what lies there anyway,
``energy~particles`` takes the particles away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from ebmlab.engine.types import Window
from ebmlab.paint.charts import CHARTS
from ebmlab.paint.look import Theme
from ebmlab.paint.overlays import OVERLAYS
from ebmlab.paint.shows import SHOWS
from ebmlab.spec import BadInput

LAYOUTS = {
    "landscape+log-z": "energy|log-z",
    "landscape+likelihood": "energy|likelihood",
    "landscape": "energy",
    "panes": "target,model|energy,difference",
    "overview": "target,model|energy,difference|likelihood,log-z",
    "charts": "likelihood,log-z",
}
"""Layouts that have a name."""

DEFAULT = "landscape+log-z"
MOST_CELLS = 12
LEAST, MOST = 64, 4096
"""Pixels of a side."""
SIZES = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080), "1440p": (2560, 1440), "4k": (3840, 2160)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A pane or a chart of a layout.

    Arguments:
        name: A key of ``SHOWS`` or of ``CHARTS``.
        overlays: What lies over a pane, keys of ``OVERLAYS``.
    """

    name: str
    overlays: frozenset[str] = frozenset()

    @property
    def is_chart(self) -> bool:
        """Whether it is a chart."""

        return self.name in CHARTS

    @property
    def text(self) -> str:
        """The cell as a layout's text names it."""

        if self.is_chart:
            return self.name
        usual = SHOWS[self.name].overlays
        more, less = sorted(self.overlays - usual), sorted(usual - self.overlays)
        return "".join([self.name, *(f"+{name}" for name in more), *(f"~{name}" for name in less)])


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a film or a picture shows.

    Arguments:
        columns: The cells, column by column, each from top to bottom.
        caption: A line of text on top; empty for none.
        formula: Whether the equation of the estimator stands below it.
        figures: Whether a line at the bottom tells the step and the exact figures.
        axes: Whether the panes have axes with numbers.
        theme: Colours and scale; at scale 1 a picture of 1280x720 has text as large as the window's.
        size: Width and height in pixels.
        window: The part of the plane that the panes show; the recipe's window if None.
    """

    columns: tuple[tuple[Cell, ...], ...] = field(default_factory=lambda: columns(LAYOUTS[DEFAULT]))
    caption: str = ""
    formula: bool = False
    figures: bool = True
    axes: bool = False
    theme: Theme = Theme()
    size: tuple[int, int] = SIZES["720p"]
    window: Window | None = None

    def __post_init__(self) -> None:
        count = sum(map(len, self.columns))
        if not 1 <= count <= MOST_CELLS or not all(self.columns):
            raise BadInput(f"there are {count} panes and charts; give 1 to {MOST_CELLS}, none empty", key="layout")
        if not all(LEAST <= side <= MOST for side in self.size):
            width, height = self.size
            raise BadInput(f"{width}x{height} will not do; give sides from {LEAST} to {MOST} pixels", key="size")

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, column by column."""

        return tuple(cell for column in self.columns for cell in column)

    @property
    def text(self) -> str:
        """The text that gives these columns."""

        return "|".join(",".join(cell.text for cell in column) for column in self.columns)


def columns(text: str) -> tuple[tuple[Cell, ...], ...]:
    """Reads the columns of a layout, given as text or by one of the names of ``LAYOUTS``.

    Raises:
        BadInput: If there is no pane, chart or overlay of a name; the message names the nearest.
    """

    text = LAYOUTS.get(text.strip().lower(), text)
    return tuple(tuple(map(_cell, column.split(","))) for column in text.split("|"))


def read_size(text: str) -> tuple[int, int]:
    """Reads ``1280x720`` or one of the names of ``SIZES``.

    Raises:
        BadInput: If it is neither.
    """

    if text.lower() in SIZES:
        return SIZES[text.lower()]
    if found := re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip()):
        return int(found[1]), int(found[2])
    raise BadInput(f"{text[:40]!r} will not do; give WIDTHxHEIGHT or {', '.join(SIZES)}", key="size")


def _cell(text: str) -> Cell:
    name, *changes = re.split(r"(?=[+~])", text.strip())
    if name not in SHOWS and name not in CHARTS:
        raise _unknown("pane, chart or layout", name, [*SHOWS, *CHARTS, *LAYOUTS])
    if name in CHARTS:
        if changes:
            raise BadInput(f"nothing lies over the chart {name}; leave out {''.join(changes)[:40]}", key="layout")
        return Cell(name)
    overlays = SHOWS[name].overlays
    for change in changes:
        if change[1:] not in OVERLAYS:
            raise _unknown("overlay", change[1:], OVERLAYS)
        overlays = overlays | {change[1:]} if change[0] == "+" else overlays - {change[1:]}
    return Cell(name, overlays)


def _unknown(what: str, name: str, known: Iterable[str]) -> BadInput:
    near = get_close_matches(name, known) or list(known)
    mend = f"did you mean {' or '.join(near)}?" if len(near) <= 3 else f"give {', '.join(near)}"
    return BadInput(f"there is no {what} {name[:40]!r}; {mend}", key="layout")
