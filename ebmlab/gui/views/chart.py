from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Generic

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QFont, QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ebmlab.gui import theme
from ebmlab.gui.views.chart_file import ENDINGS, save_chart
from ebmlab.gui.views.legend import Legend
from ebmlab.gui.views.plot import Plot
from ebmlab.paint.axes import colour
from ebmlab.paint.chart import ChartPainter
from ebmlab.paint.curves import Curve, Reading, Shown, Source, nearest, table
from ebmlab.paint.numbers import number
from ebmlab.paint.spans import Scale
from ebmlab.spec import BadInput

PERIOD = 0.4
"""Seconds between two redraws at the least."""


class Chart(QFrame, Generic[Shown]):
    """Curves over the steps of a run, or over something else: hover to read, wheel to zoom, double click to fit.

    Signals:
        hovered: The step under the cursor; None when it has left.
        noticed: Whether it can be seen now.
    """

    hovered = Signal(object)
    noticed = Signal(bool)

    def __init__(self, source: Source[Shown], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.painter = ChartPainter(source)
        self._snapshot: Shown | None = None
        self._end: float = 0
        self._last = 0.0
        self._drawn: Shown | None = None
        self.setObjectName(f"chart-{source.name}")
        self.setProperty("card", True)
        self.setAccessibleName(source.title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(112)
        self._furnish()
        theme.signals.changed.connect(self._dress)
        self._dress()

    def _furnish(self) -> None:
        self._title = QLabel(self.source.title)
        self._note = QLabel()
        self._note.setProperty("muted", True)
        self._legend = Legend()
        self._legend.toggled.connect(self._toggle)
        self._plot = Plot(self.painter.plot)
        self._plot.hovered.connect(self._hover)
        self._plot.zoomed.connect(self._zoom)
        self._plot.fitted.connect(self.follow)
        self._empty = QLabel(self.source.empty, self._plot)
        self._empty.setProperty("muted", True)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._readout = QLabel(self._plot)
        self._readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._readout.setTextFormat(Qt.TextFormat.RichText)
        self._readout.hide()
        header = QHBoxLayout()
        header.setContentsMargins(10, 4, 6, 0)
        header.setSpacing(8)
        header.addWidget(self._title)
        header.addWidget(self._note)
        header.addWidget(self._legend, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 8, 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._plot, 1)
        self._plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._plot.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    @property
    def source(self) -> Source[Shown]:
        """What it is about."""

        return self.painter.source

    @property
    def curves(self) -> tuple[Curve, ...]:
        """The curves that can be seen."""

        return self.painter.curves

    @property
    def reading(self) -> Reading:
        """What the chart last drew."""

        return self.painter.reading

    def take(self, snapshot: Shown, step: float = 0) -> None:
        """Takes in a snapshot and the step of the run, to be drawn when it is this chart's turn."""

        self._snapshot, self._end = snapshot, step

    @property
    def stale(self) -> bool:
        """Whether it can be seen and has not drawn the latest snapshot."""

        return self._snapshot is not self._drawn and self.isVisible()

    @property
    def due(self) -> float:
        """When it may be drawn again, by the monotonic clock."""

        return self._last + PERIOD

    def redraw(self) -> None:
        """Draws what the latest snapshot says."""

        if self._snapshot is not None and self.isVisible():
            self._last, self._drawn = monotonic(), self._snapshot
            self.painter.read(self._snapshot, self._end)
            self._draw()

    def _draw(self) -> None:
        note, curves = self.reading.note, self.reading.curves
        if note != self._note.text():
            self._note.setText(note)
        self._legend.set_curves(curves, {c.key for c in curves if not self.painter.seen(c)})
        self._empty.setVisible(not self.painter.some)
        self._place_empty()
        self._plot.settle()
        self.painter.arrange()
        self._plot.update()

    def follow(self) -> None:
        """Lets the axes follow the curves again, after somebody has zoomed."""

        self.painter.following = True
        self._draw()

    def point_at(self, step: float | None) -> None:
        """Shows where a step is; None takes the mark away."""

        if self.painter.plot.point_at(step):
            self._plot.update()

    def _toggle(self, key: str, on: bool) -> None:
        self.painter.chosen[key] = on
        self._draw()

    def _zoom(self) -> None:
        self.painter.following = False
        self._draw()

    def _hover(self, step: float | None) -> None:
        self.hovered.emit(step)
        points = [] if step is None else [(c, p) for c in self.curves if (p := nearest(c, step))]
        self._readout.setVisible(bool(points))
        if step is None or not points:
            return
        place = min((point[0] for _, point in points), key=lambda x: abs(x - step))
        lines = ["{} {:,.0f}".format(html.escape(self.source.across or self.tr("step")), place)]
        for curve, (_, value, error) in points:
            shown = number(value, 5) + ("" if error is None else f" ± {number(error, 2)}")
            name = html.escape(curve.label)
            lines.append(
                f'<span style="color: {colour(curve.role, theme.current().palette).name()}">{name} {shown}</span>'
            )
        self._readout.setText("<br>".join(lines))
        self._readout.adjustSize()
        self._readout.move(self._plot.width() - self._readout.width() - 8, 6)

    def set_spread(self, *, x: bool | None = None, y: bool | None = None) -> None:
        """Chooses linear or logarithmic axes; what is not said stays."""

        old = self.spread
        self.painter.plot.scale = replace(old, x=old.x if x is None else x, y=old.y if y is None else y)
        self.follow()

    @property
    def spread(self) -> Scale:
        """Whether the axes are logarithmic."""

        return self.painter.plot.scale

    def copy_image(self) -> None:
        """Puts a picture of the chart on the clipboard."""

        QGuiApplication.clipboard().setPixmap(self.grab())

    def copy_data(self) -> None:
        """Puts every point of the visible curves on the clipboard, separated by tabs."""

        data = QMimeData()
        data.setText(table(self.curves, self.source.across or "step"))
        QGuiApplication.clipboard().setMimeData(data)

    def save(self, path: str) -> None:
        """Saves the chart as PNG, SVG, PDF or CSV, by the file's ending; says so where that cannot be done."""

        try:
            save_chart(self.painter, (self.width(), self.height()), Path(path))
        except BadInput as fault:
            QMessageBox.warning(self, self.tr("Save the chart"), str(fault))

    def ask_and_save(self) -> None:
        """Asks for a file and saves the chart there."""

        kinds = self.tr("Figures and data ({})").format(" ".join(f"*{ending}" for ending in ENDINGS))
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Save the chart"), f"{self.source.name}.png", kinds)
        if path:
            self.save(path if Path(path).suffix else f"{path}.png")

    def menu(self) -> QMenu:
        """Returns the chart's menu, owned by the chart."""

        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._legend.fill(menu)
        menu.addSeparator()
        for text, on, axis in (
            (self.tr("Logarithmic values"), self.spread.y, "y"),
            (self.tr("Logarithmic {}").format(self.source.across or self.tr("steps")), self.spread.x, "x"),
        ):
            action = QAction(text, menu, checkable=True, checked=on)
            action.setEnabled(axis == "x" or not self.source.linear)
            action.toggled.connect(lambda value, axis=axis: self.set_spread(**{axis: value}))
            menu.addAction(action)
        fit = menu.addAction(self.tr("Show all") if self.source.across else self.tr("Follow the run"), self.follow)
        fit.setEnabled(not self.painter.following)
        menu.addSeparator()
        menu.addAction(self.tr("Copy as picture"), self.copy_image)
        menu.addAction(self.tr("Copy data"), self.copy_data).setEnabled(bool(self.curves))
        menu.addAction(self.tr("Save as…"), self.ask_and_save).setEnabled(bool(self.curves))
        return menu

    def contextMenuEvent(self, event: object) -> None:
        position: QPoint = event.globalPos()  # type: ignore[attr-defined]
        self.menu().popup(position)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place_empty()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.redraw()
        self.noticed.emit(True)

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self.noticed.emit(False)

    def _place_empty(self) -> None:
        self._empty.setGeometry(self._plot.rect().adjusted(12, 4, -12, -4))

    def _dress(self) -> None:
        look = theme.current()
        self._title.setFont(look.font(12, QFont.Weight.DemiBold))
        self._note.setFont(look.font(11))
        self._readout.setFont(look.font(11))
        p = look.palette
        self._readout.setStyleSheet(
            f"background: {p.raised}; border: 1px solid {p.line}; border-radius: 5px; padding: 3px 6px;"
        )
        self._draw()
