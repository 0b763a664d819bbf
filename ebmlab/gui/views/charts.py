from __future__ import annotations

from time import monotonic

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from ebmlab.gui.views.chart import Chart
from ebmlab.paint.charts import CHARTS
from ebmlab.paint.likelihood import Objective
from ebmlab.paint.sandwich import SandwichChart
from ebmlab.session.snapshot import Snapshot

SLACK = 60
"""Milliseconds without a snapshot after which a chart is drawn all the same."""


class Charts(QScrollArea):
    """The charts in one column, with one cursor through all that have the run's steps for an axis.

    Signals:
        sandwich_wanted: Whether anybody sees the chart that takes long to find out about.
    """

    sandwich_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._charts = [Chart(make()) for make in CHARTS.values()]
        self._hidden: set[str] = {SandwichChart.name}
        self._running = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._draw_next)
        self._concerned = True
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for chart in self._charts:
            layout.addWidget(chart, 1)
            if not chart.source.across:
                chart.hovered.connect(self._point_at)
        self.charts[SandwichChart.name].noticed.connect(self.sandwich_wanted)
        self.setWidget(column)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(200)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Charts"))
        self._concern(False)

    @property
    def charts(self) -> dict[str, Chart[Snapshot]]:
        """The charts by name, from top to bottom."""

        return {chart.source.name: chart for chart in self._charts}

    @property
    def active(self) -> Chart[Snapshot]:
        """The chart that has the focus or lies under the cursor; else the first."""

        near = [c for c in self._charts if c.isVisible() and (c.hasFocus() or c.underMouse())]
        return (near or self._charts)[0]

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Hands a snapshot to every chart; one of them is drawn with it, or all of them when the run has stopped."""

        self._concern(Objective.concerns(snapshot))
        for chart in self._charts:
            chart.take(snapshot, snapshot.step)
        stopped = self._running and snapshot.status != "running"
        self._running = snapshot.status == "running"
        if stopped:
            for chart in self._charts:
                chart.redraw()
        else:
            self._draw_next()

    def _draw_next(self) -> None:
        """Draws the chart that has waited longest, if its time has come: no two share a frame."""

        stale = sorted((chart for chart in self._charts if chart.stale), key=lambda chart: chart.due)
        if stale and stale[0].due <= monotonic():
            stale.pop(0).redraw()
        if stale:
            self._timer.start(max(round(1000 * (stale[0].due - monotonic())), SLACK))
        else:
            self._timer.stop()

    @property
    def hidden(self) -> frozenset[str]:
        """The names of the charts that nobody has chosen to see."""

        return frozenset(self._hidden)

    def choose(self, name: str, on: bool) -> None:
        """Shows or hides a chart."""

        self._hidden = self._hidden - {name} if on else self._hidden | {name}
        self._arrange()

    def _concern(self, concerned: bool) -> None:
        if concerned != self._concerned:
            self._concerned = concerned
            self._arrange()

    def _arrange(self) -> None:
        for chart in self._charts:
            name = chart.source.name
            chart.setVisible(name not in self._hidden and (name != Objective.name or self._concerned))

    def _point_at(self, step: float | None) -> None:
        for chart in self._charts:
            if not chart.source.across:
                chart.point_at(step)
