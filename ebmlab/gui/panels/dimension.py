from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ebmlab.engine.logz import LOG_ZS
from ebmlab.gui import theme
from ebmlab.gui.errands import ErrandBar
from ebmlab.gui.form import Form
from ebmlab.gui.labels import title
from ebmlab.gui.panels.findings import Findings
from ebmlab.gui.views.chart import Chart
from ebmlab.paint.survey import CostChart, ErrorChart, WorthChart
from ebmlab.session.errand import Outcome
from ebmlab.session.survey import Plan, Survey, survey

SIDE = 290
FIRST = ("quadrature", "importance", "ais", "smc")
"""Methods that are chosen at first: one that ends, one that fades, two that go on."""

KIND = Qt.ItemDataRole.UserRole


class DimensionPage(QWidget):
    """Beyond the plane: what methods of log Z make of a problem, of known log Z, as the dimension grows.

    Signals:
        asked: The page of the catalogue that the user wants to see, as family/kind.
    """

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dimension-page")
        self.plan = Plan()
        self.form = Form(self.plan)
        self.form.edited.connect(self._planned)
        self.form.asked.connect(self.asked)
        self.methods = _methods()
        self.methods.itemChanged.connect(lambda _: self._show_start())
        self.start = QPushButton(self.tr("Start"))
        self.start.setObjectName("start-survey")
        self.start.setProperty("primary", True)
        self.start.setToolTip(self.tr("Asks every chosen method in every dimension, in the background"))
        self.start.clicked.connect(lambda _=False: self._begin())
        self.errand: ErrandBar[Survey, Survey] = ErrandBar()
        self.errand.stop.setToolTip(self.tr("Ends it; what has been found so far stays"))
        self.errand.progressed.connect(self.show_survey)
        self.errand.ended.connect(self._ended)
        self.charts = [Chart(source) for source in (ErrorChart(), CostChart(), WorthChart())]
        self.findings = Findings()
        self._lay_out()
        self._show_start()

    def _lay_out(self) -> None:
        px = theme.current().px
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(px(8))
        split.addWidget(self._settings())
        split.addWidget(self._results())
        split.setStretchFactor(1, 1)
        split.setSizes([px(SIDE), px(800)])
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(split)

    def _settings(self) -> QWidget:
        px = theme.current().px
        heading = QLabel(self.tr("Beyond the plane"))
        heading.setProperty("heading", True)
        lead = QLabel(self.tr("In the plane a lattice knows log Z. Here the truth is known by construction, and the "
                              "dimension grows: see which method ends, which fades, and which goes on."))  # fmt: skip
        lead.setWordWrap(True)
        lead.setProperty("muted", True)
        label = QLabel(self.tr("Methods"))
        label.setBuddy(self.methods)
        body = QFrame()
        body.setProperty("card", True)
        column = QVBoxLayout(body)
        column.setContentsMargins(px(12), px(10), px(12), px(12))
        column.setSpacing(px(8))
        for widget in (heading, lead, self.form, label):
            column.addWidget(widget)
        column.addWidget(self.methods, 1)
        column.addWidget(self.start)
        column.addWidget(self.errand)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setMinimumWidth(px(SIDE - 80))
        area.setWidget(body)
        return area

    def _results(self) -> QWidget:
        px = theme.current().px
        rows = QSplitter(Qt.Orientation.Vertical)
        for left, right in ((self.charts[0], self.charts[1]), (self.findings, self.charts[2])):
            row = QSplitter(Qt.Orientation.Horizontal)
            for widget in (left, right):
                widget.setMinimumWidth(px(125))
                row.addWidget(widget)
            row.setSizes([px(430), px(270)] if left is self.findings else [px(350), px(350)])
            rows.addWidget(row)
        rows.setSizes([px(300), px(300)])
        for split in (rows, *rows.findChildren(QSplitter)):
            split.setChildrenCollapsible(False)
            split.setHandleWidth(px(8))
        return rows

    def show_survey(self, found: Survey) -> None:
        """Shows what has been found so far."""

        self.findings.show_rows(found.rows)
        for chart in self.charts:
            chart.take(found)
            chart.redraw()

    def chosen(self) -> list[str]:
        """Returns the kinds of the methods that are chosen."""

        items = (self.methods.item(i) for i in range(self.methods.count()))
        return [item.data(KIND) for item in items if item.checkState() == Qt.CheckState.Checked]

    def close_down(self) -> None:
        """Calls off a survey that is under way."""

        self.errand.close_down()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.start.setFocus()

    def _planned(self, plan: Plan) -> None:
        self.plan = plan

    def _begin(self) -> None:
        plan, methods = self.plan, self.chosen()
        self.show_survey(Survey())
        self.errand.begin(lambda: survey(plan, methods), lambda found: (found.share, found.text))
        self._show_start()

    def _ended(self, outcome: Outcome[Survey]) -> None:
        if outcome.result is not None:
            self.show_survey(outcome.result)
        self._show_start()

    def _show_start(self) -> None:
        self.start.setEnabled(bool(self.chosen()) and not self.errand.busy)


def _methods() -> QListWidget:
    box = QListWidget()
    box.setAccessibleName(box.tr("Methods"))
    box.setToolTip(box.tr("The methods that are asked; Space chooses one or leaves it out"))
    box.setMinimumHeight(theme.current().px(120))
    box.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    for kind, cls in LOG_ZS.items():
        item = QListWidgetItem(title(cls), box)
        item.setData(KIND, kind)
        item.setToolTip(f"{kind}: {title(cls)}")
        item.setSizeHint(QSize(0, theme.current().px(22)))
        item.setCheckState(Qt.CheckState.Checked if kind in FIRST else Qt.CheckState.Unchecked)
    return box
