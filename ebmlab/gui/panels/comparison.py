from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ebmlab.gui import theme
from ebmlab.gui.differences import Difference, departures, differences
from ebmlab.gui.panels.tried_columns import Column, columns
from ebmlab.session.tried import Tried

MEASURED = ("steps", "time", "kl", "nll", "log_z", "fisher")
"""Columns of the table that are compared besides the recipes."""


class Line(NamedTuple):
    """What is compared, and what it is on either side."""

    name: str
    left: str
    right: str


class Comparison(QFrame):
    """What one run sets otherwise than the default recipe, or what two runs do not have in common."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.current().px
        self.setProperty("card", True)
        self._title = QLabel(wordWrap=True)
        self._title.setProperty("heading", True)
        self.table = _table()
        column = QVBoxLayout(self)
        column.setContentsMargins(px(10), px(6), px(6), px(6))
        column.setSpacing(px(4))
        column.addWidget(self._title)
        column.addWidget(self.table, 1)
        self.show_runs(())

    def show_runs(self, runs: Sequence[Tried]) -> None:
        """Compares two runs, or one with the default recipe."""

        if len(runs) == 2:
            left, right = runs
            lines = [*_lines(differences(left.recipe, right.recipe)), *_figures(left, right)]
            self._fill(self.tr("What differs between the two"), (_name(left), _name(right)), lines)
        elif len(runs) == 1:
            lines = _lines(departures(runs[0].recipe))
            title = self.tr("What is not at its default") if lines else self.tr("Every knob is at its default")
            self._fill(title, (self.tr("this run"), self.tr("default")), lines)
        else:
            self._fill(self.tr("Choose a run to see its knobs, or two to compare them"), ("", ""), [])

    def lines(self) -> list[Line]:
        """Returns what it says."""

        texts = ([self.table.item(i, j) for j in range(3)] for i in range(self.table.rowCount()))
        return [Line(*(item.text() if item else "" for item in row)) for row in texts]

    def _fill(self, title: str, sides: tuple[str, str], lines: Iterable[Line]) -> None:
        self._title.setText(title)
        self.table.setRowCount(0)
        self.table.setHorizontalHeaderLabels([self.tr("Knob"), *sides])
        for place, line in enumerate(lines):
            self.table.insertRow(place)
            for j, text in enumerate(line):
                item = QTableWidgetItem(text or ("–" if j else ""))
                item.setToolTip(text)
                self.table.setItem(place, j, item)
        self.table.setVisible(self.table.rowCount() > 0)


def _table() -> QTableWidget:
    table = QTableWidget(0, 3)
    table.setObjectName("comparison-table")
    table.setAccessibleName(table.tr("Knobs that differ"))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.setFrameShape(QFrame.Shape.NoFrame)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(theme.current().px(22))
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    return table


def _name(run: Tried) -> str:
    """Returns what tells one run from another."""

    return f"{run.recipe.estimator.kind}, {run.recipe.target.kind}, seed {run.recipe.seed}"


def _figures(left: Tried, right: Tried) -> list[Line]:
    """Returns the measured figures of both."""

    chosen: list[Column] = [column for column in columns() if column.name in MEASURED]
    return [Line(column.heading, column.said(left), column.said(right)) for column in chosen]


def _lines(found: Iterable[Difference]) -> list[Line]:
    return [Line(d.path, d.left, d.right) for d in found]
