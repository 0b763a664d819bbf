from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ebmlab.engine.dimension import Row
from ebmlab.gui import theme
from ebmlab.gui.widgets import IconButton
from ebmlab.paint.numbers import number

HEADING = ("method", "d", "log Z", "stderr", "exact", "error", "evaluations", "share", "remark")


class Findings(QFrame):
    """The rows of a survey as a table that can be copied into a spreadsheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self._rows: tuple[Row, ...] = ()
        self.table = Table(self)
        self.copy = IconButton("copy", self.tr("Copy the table, separated by tabs (Ctrl+C in the table)"), self)
        self.copy.setObjectName("copy-findings")
        self.copy.clicked.connect(lambda _=False: self.copy_rows())
        title = QLabel(self.tr("All rows"))
        title.setProperty("heading", True)
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(self.copy)
        column = QVBoxLayout(self)
        px = theme.current().px
        column.setContentsMargins(px(10), px(4), px(6), px(6))
        column.setSpacing(px(4))
        column.addLayout(top)
        column.addWidget(self.table)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Shows these rows; those that are there already stay."""

        rows = tuple(rows)
        if rows[: len(self._rows)] != self._rows:
            self.table.setRowCount(0)
            self._rows = ()
        for row in rows[len(self._rows) :]:
            self.table.add(row)
        self._rows = rows

    def copy_rows(self) -> None:
        """Puts the table on the clipboard, every figure in full."""

        lines = [HEADING, *(_full(row) for row in self._rows)]
        QGuiApplication.clipboard().setText("".join("\t".join(line) + "\n" for line in lines))


class Table(QTableWidget):
    """Rows that can be read, not changed."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(0, len(HEADING), findings)
        self._findings = findings
        words = (
            self.tr("Method"), self.tr("d"), self.tr("log Z"), self.tr("±"), self.tr("Exact"),
            self.tr("Error"), self.tr("Energies"), self.tr("Share"), self.tr("Remark"),
        )  # fmt: skip
        self.setHorizontalHeaderLabels(list(words))
        for column in (0, len(HEADING) - 1):
            if (item := self.horizontalHeaderItem(column)) is not None:
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setAccessibleName(self.tr("All rows"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.current().px(22))
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)
        self.setTabKeyNavigation(False)

    def add(self, row: Row) -> None:
        """Adds a row at the end."""

        place = self.rowCount()
        self.insertRow(place)
        for column, text in enumerate(_short(row)):
            item = QTableWidgetItem(text)
            item.setToolTip(row.why or text)
            if 0 < column < len(HEADING) - 1:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(place, column, item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self._findings.copy_rows()
        else:
            super().keyPressEvent(event)


def _short(row: Row) -> tuple[str, ...]:
    figures = (row.log_z, row.stderr, row.exact, row.error)
    shown = (number(value, 4) for value in figures)
    return row.method, str(row.dim), *shown, f"{row.evaluations:,}", number(row.ess, 3), row.why


def _full(row: Row) -> tuple[str, ...]:
    figures = (row.log_z, row.stderr, row.exact, row.error)
    shown = ("" if value != value else f"{value:.10g}" for value in figures)
    share = "" if row.ess != row.ess else f"{row.ess:.6g}"
    return row.method, str(row.dim), *shown, str(row.evaluations), share, row.why
