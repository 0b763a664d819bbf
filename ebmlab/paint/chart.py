"""The painter of a chart: what it reads off a snapshot, where its axes end, and all of it on a page."""

from __future__ import annotations

import html
from typing import Generic

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from ebmlab.paint.curves import Curve, Reading, Shown, Source, span, visible
from ebmlab.paint.heading import GAP, draw_heading
from ebmlab.paint.legend import draw_legend
from ebmlab.paint.page import Page
from ebmlab.paint.plot import PlotPainter
from ebmlab.paint.shapes import font, shifted
from ebmlab.paint.spans import Scale, Span

MARGIN = 0.05
"""What an axis that is not one of steps shows beyond the curves, as a share of their extent."""


class ChartPainter(Generic[Shown]):
    """Paints the curves that a source reads.

    Arguments:
        source: What the chart is about.

    Attributes:
        plot: Paints the curves and the axes.
        reading: What was last read.
        end: The step at which an axis of steps ends at the least.
        following: Whether the axes follow the curves.
        chosen: Which curves somebody wants to see or not, by their keys.
    """

    def __init__(self, source: Source[Shown]) -> None:
        self.source = source
        self.plot = PlotPainter()
        self.plot.scale = Scale(*source.spread)
        self.reading = Reading()
        self.end: float = 0
        self.following = True
        self.chosen: dict[str, bool] = {}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """The curves that can be seen."""

        return tuple(c for c in self.reading.curves if self.seen(c))

    @property
    def some(self) -> bool:
        """Whether there is anything to draw yet."""

        return any(len(c.x) for c in self.reading.curves)

    def seen(self, curve: Curve) -> bool:
        """Returns whether a curve can be seen."""

        return self.chosen.get(curve.key, curve.shown)

    def read(self, snapshot: Shown, end: float) -> None:
        """Reads the curves of a snapshot; an axis of steps ends at the one given, or beyond."""

        self.reading, self.end = self.source.read(snapshot), end

    def arrange(self) -> None:
        """Hands the curves and the ends of the axes to the plot, whose page is set."""

        plot, reading = self.plot, self.reading
        plot.bare = not self.some
        seen = [c for c in self.curves if len(c.x)]
        points = 2 * max(plot.page.width, 100)  # a least and a greatest value per column of pixels
        if self.following:
            ends = self._ends(seen)
            pieces = [visible(c, *ends, points) for c in seen]
            low, high = span(pieces, reading.within, plot.scale.y)
            plot.set_span(ends, (low, min(high, reading.most)))
        else:
            pieces = [visible(c, *plot.steps(), points) for c in seen]
        plot.set_axis(self.source.across, reading.places)
        plot.set_guide(reading.guide if self.some else None)
        plot.set_curves(pieces)

    def _ends(self, curves: list[Curve]) -> Span:
        """Returns where the axis across begins and ends."""

        if not self.source.across:  # every chart ends at the step of the run, so that one lies under the other
            return 0, max([self.end, 1.0, *(c.x[-1] for c in curves)])
        low, high = min((c.x[0] for c in curves), default=1.0), max((c.x[-1] for c in curves), default=2.0)
        if self.plot.scale.x:
            beyond = max(high / low, 1.2) ** MARGIN
            return low / beyond, high * beyond
        beyond = MARGIN * (high - low or 1.0)
        return low - beyond, high + beyond

    def paint(self, painter: QPainter, page: Page) -> None:
        """Paints the whole chart: title, note and legend above the plot."""

        look = page.theme
        header = QRectF(11, 5, page.width - 11 - 6, look.px(20))
        used = draw_heading(painter, header, self.source.title, html.escape(self.reading.note), look)
        draw_legend(painter, header.adjusted(used + GAP, 0, 0, 0), self.curves, look)
        top = round(header.bottom())
        self.plot.page = page._replace(width=page.width - 1 - 8, height=page.height - top - 2)
        self.arrange()
        with shifted(painter, 1, top):
            self.plot.paint(painter)
            if self.plot.bare:
                self._say(painter, self.plot.page)

    def _say(self, painter: QPainter, page: Page) -> None:
        """Says what is still to come."""

        painter.setFont(font(page.theme, 12))
        painter.setPen(QColor(page.theme.palette.muted))
        room = page.rect.adjusted(12, 4, -12, -4)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.source.empty)
