from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from ebmlab.engine.types import Window
from ebmlab.paint.bar import Bar
from ebmlab.paint.look import Theme
from ebmlab.paint.overlays import draw_lines
from ebmlab.paint.projection import Projection
from ebmlab.paint.shapes import drawing, packed
from ebmlab.paint.shows import Picture
from ebmlab.paint.threads import kept_by_thread
from ebmlab.record.contours import contours, sparser
from ebmlab.record.raster import Raster


class Pace(NamedTuple):
    """How often at most what is slow, or has to be read, follows the field."""

    clock: Callable[[], float] = monotonic  # in seconds; a film has one of its own
    lines: float = 1 / 8  # seconds from one tracing of the contour lines to the next
    bar: float = 1 / 3  # the same of the numbers at the colour bar
    nodes: int = 64  # along either side, between which contour lines are traced


LIVE = Pace()


class Sheet(NamedTuple):
    """What a picture is painted on."""

    projection: Projection
    window: Window  # the rectangle of the plane that the field covers
    ratio: float  # pixels of the screen per pixel of the pane
    theme: Theme
    lines: bool  # whether contour lines are wanted


class Backdrop:
    """What changes only with the snapshot or the zoom: the field in colours, its contour lines, its colour bar.

    Lines and the numbers of the bar follow the field at a slower pace than the colours.

    Arguments:
        pace: That pace.

    Attributes:
        late: Whether the last picture has lines or numbers of a former field, so that another is due.
    """

    def __init__(self, pace: Pace = LIVE) -> None:
        self._pace = pace
        self._image = QImage()
        self._shown: Picture | None = None
        self._sheet: Sheet | None = None
        self._lines = Lines(pace)
        self._bar = QImage()
        self._bar_of: tuple[object, ...] = ()
        self._bar_due = 0.0
        self._bar_late = False

    @property
    def late(self) -> bool:
        return self._lines.late or self._bar_late

    def forget(self) -> None:
        """Lets the next picture begin afresh, being of another kind."""

        self._shown, self._lines, self._bar_of = None, Lines(self._pace), ()

    def image(self, shown: Picture, sheet: Sheet) -> QImage:
        """Returns the picture of a pane at the resolution of the screen, made anew only if something differs."""

        if sheet != self._sheet or self._shown is None or self._lines.due or not _same(shown, self._shown, sheet):
            self._paint(shown, sheet)
            if sheet.lines and shown.lines is not None:
                with drawing(self._image) as painter:
                    self._lines.lay(painter, shown.lines, shown.at, sheet)
        self._shown, self._sheet = shown, sheet
        return self._image

    def _paint(self, shown: Picture, sheet: Sheet) -> None:
        projection, ratio = sheet.projection, sheet.ratio
        width, height = round(projection.width * ratio), round(projection.height * ratio)
        if (width, height) != (self._image.width(), self._image.height()):
            self._image = QImage(width, height, QImage.Format.Format_RGB32)
        self._image.setDevicePixelRatio(ratio)
        if shown.field is None or shown.colours is None:
            self._image.fill(QColor(sheet.theme.palette.panel))
            return
        places = _raster(height, width).enlarge(shown.field, shown.levels, sheet.window, projection.window)
        words = np.frombuffer(self._image.bits(), np.uint32).reshape(height, width)
        # Any mode but the default writes straight into the image; no place is out of range.
        np.take(_words(shown.colours.tobytes()), places, out=words, mode="wrap")

    def draw_bar(self, painter: QPainter, shown: Picture, sheet: Sheet) -> None:
        """Draws the colour bar in the upper right corner, over all else, so that its numbers can be read."""

        if shown.field is None:
            return
        made_of = (id(shown.colours), sheet.projection.width, sheet.theme, sheet.ratio, shown.bar)
        self._bar_late, now = made_of != self._bar_of, self._pace.clock()
        if self._bar_late and (made_of[:-1] != self._bar_of[:-1] or now >= self._bar_due):
            self._bar_of, self._bar_late, self._bar_due = made_of, False, now + self._pace.bar
            self._bar = Bar.of(shown, sheet.projection.width, sheet.theme).image(sheet.ratio)
        width = self._bar.width() / sheet.ratio
        painter.drawImage(QPointF(sheet.projection.width - width, 0), self._bar)


class Lines:
    """The contour lines of a field that changes with every frame, as a clear picture to lay over it.

    Arguments:
        pace: How often they are traced.

    Attributes:
        late: Whether the picture last returned is of a former field.
    """

    def __init__(self, pace: Pace) -> None:
        self.late = False
        self._pace = pace
        self._of: tuple[np.ndarray, tuple[float, ...]] | None = None
        self._lines: list[np.ndarray] = []
        self._image = QImage()
        self._image_for: Sheet | None = None
        self._not_before = 0.0

    @property
    def due(self) -> bool:
        """Whether the lines are of a former field and may be traced again."""

        return self.late and self._pace.clock() >= self._not_before

    def lay(self, painter: QPainter, field: np.ndarray, at: tuple[float, ...], sheet: Sheet) -> None:
        """Lays the lines of this field, or of one shortly before, over a picture."""

        self._trace(field, at, sheet.window)
        if not self._pace.lines:  # they are others every time: an image of them would be of no use
            draw_lines(painter, sheet.projection, self._lines, sheet.theme.palette.ink)
            return
        if self._image_for != sheet:
            self._image_for = sheet
            self._draw(sheet)
        painter.drawImage(0, 0, self._image)

    def _trace(self, field: np.ndarray, at: tuple[float, ...], window: Window) -> None:
        now = self._pace.clock()
        new = self._of is None or self._of[0] is not field or self._of[1] != at
        self.late = new and self._of is not None and now < self._not_before
        if new and not self.late:
            self._of, self._not_before = (field, at), now + self._pace.lines
            self._lines = traced(field, at, window, self._pace.nodes)
            self._image_for = None

    def _draw(self, sheet: Sheet) -> None:
        projection, ratio = sheet.projection, sheet.ratio
        size = QSize(round(projection.width * ratio), round(projection.height * ratio))
        if size != self._image.size():
            self._image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        self._image.setDevicePixelRatio(ratio)
        self._image.fill(Qt.GlobalColor.transparent)
        with drawing(self._image) as painter:
            draw_lines(painter, projection, self._lines, sheet.theme.palette.ink)


def traced(field: np.ndarray, at: tuple[float, ...], window: Window, nodes: int) -> list[np.ndarray]:
    """Returns the contour lines of a field, traced between so many nodes along either side at the most."""

    values, window = sparser(field, window, nodes)
    return contours(values, at, window)


@kept_by_thread(8)
def _raster(rows: int, columns: int) -> Raster:
    """Panes of one size share their memory, which is then still at hand; a film's thread has its own."""

    return Raster(rows, columns)


@lru_cache(maxsize=16)
def _words(colours: bytes) -> np.ndarray:
    return packed(np.frombuffer(colours, np.uint8).reshape(-1, 3))


def _same(a: Picture, b: Picture, sheet: Sheet) -> bool:
    """Compares arrays by identity: they never change in place."""

    if sheet.lines and (a.lines is not b.lines or a.at != b.at):
        return False
    return a.field is b.field and a.colours is b.colours and a.levels == b.levels
