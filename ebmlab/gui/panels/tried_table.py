"""The runs that were tried as a table that can be sorted and sought."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QBrush, QColor, QFont
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from ebmlab.gui import theme
from ebmlab.gui.panels.tried_columns import Column, columns, further, tr
from ebmlab.session.tried import Tried

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROW, SORT = Role.UserRole, Role.UserRole + 1
NOWHERE = QModelIndex()


class TriedModel(QAbstractTableModel):
    """The runs, the one under way first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = columns()
        self._rows: list[Tried] = []
        self._running: Tried | None = None

    @property
    def rows(self) -> tuple[Tried, ...]:
        """The runs that have ended."""

        return tuple(self._rows)

    @property
    def running(self) -> Tried | None:
        """The run under way, if it is shown."""

        return self._running

    def show_rows(self, rows: Sequence[Tried]) -> None:
        """Shows other runs."""

        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def show_running(self, row: Tried | None) -> None:
        """Shows the run under way as it is now, or none."""

        if (row is None) != (self._running is None):
            self.beginResetModel()
            self._running = row
            self.endResetModel()
        elif row is not None:
            self._running = row
            self.dataChanged.emit(self.index(0, 0), self.index(0, len(self.columns) - 1))

    def live(self, place: int) -> bool:
        """Returns whether the run under way is in a place."""

        return self._running is not None and place == 0

    def row(self, place: int) -> Tried:
        """Returns the run in a place."""

        if self._running is None:
            return self._rows[place]
        return self._running if place == 0 else self._rows[place - 1]

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows) + (self._running is not None)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        column = self.columns[section]
        if role == Role.TextAlignmentRole:
            return _side(column)
        return {Role.DisplayRole: column.heading, Role.ToolTipRole: column.help}.get(Role(role))

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        row, column, live = self.row(index.row()), self.columns[index.column()], self.live(index.row())
        if role == ROW:
            return row
        if role == SORT:
            return column.value(row)
        if role == Role.DisplayRole:
            return tr("Tried", "under way") if live and column.name == "when" else column.said(row)
        if role == Role.ToolTipRole:
            return _paths(row) if column.name == "knobs" else column.said(row)
        return _look(role, column, row, live)


def _paths(row: Tried) -> str:
    """Returns what is not at its default as the command line would say it, one a line."""

    return "\n".join(f"{d.path} = {d.left}" for d in further(row.recipe) if d.left)


def _look(role: int, column: Column, row: Tried, live: bool) -> Any:
    if role == Role.TextAlignmentRole:
        return _side(column)
    if role == Role.ForegroundRole and row.diverged and column.name == "remark":
        return QBrush(QColor(theme.current().palette.red))
    if role == Role.FontRole and live:
        return theme.current().font(12, QFont.Weight.DemiBold)
    return None


def _side(column: Column) -> Qt.AlignmentFlag:
    """Returns the side on which a column stands: figures right, words left."""

    side = Qt.AlignmentFlag.AlignRight if column.figures else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class Sorted(QSortFilterProxyModel):
    """The runs that hold some words, in the order of a column; the one under way stays first, gaps stay last."""

    def __init__(self, model: TriedModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model, self._words = model, [""]
        self.setSourceModel(model)

    def seek(self, text: str) -> None:
        """Leaves out the runs that do not hold all of the words."""

        self._words = text.lower().split()
        self.invalidateFilter()

    def filterAcceptsRow(self, place: int, parent: Index) -> bool:
        row = self._model.row(place)
        shown = " ".join(str(self._model.index(place, i).data()) for i in range(self._model.columnCount()))
        text = f"{shown} {row.name} {' '.join(d.path for d in further(row.recipe))}".lower()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        rising = self.sortOrder() == Qt.SortOrder.AscendingOrder
        for index, first in ((left, rising), (right, not rising)):
            if self._model.live(index.row()):
                return first
        a, b = left.data(SORT), right.data(SORT)
        if a is None or b is None:
            return (a is not None) == rising if (a is None) != (b is None) else left.row() < right.row()
        return bool(a < b)


class TriedTable(QTableView):
    """The table itself."""

    def __init__(self, model: TriedModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.current().px
        self.setObjectName("tried-table")
        self.setAccessibleName(self.tr("Runs"))
        self.sorted = Sorted(model, self)
        self.setModel(self.sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(px(24))
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        for place, column in enumerate(model.columns):
            header.resizeSection(place, px(column.width))

    def choose(self, names: Collection[str]) -> None:
        """Chooses the runs of these names, as far as they are listed."""

        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for place in range(self.sorted.rowCount() if names else 0):
            if self.sorted.index(place, 0).data(ROW).name in names:
                self.selectionModel().select(self.sorted.index(place, 0), flags)

    @property
    def chosen(self) -> list[Tried]:
        """The runs that are chosen, from top to bottom."""

        places = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.sorted.index(place, 0).data(ROW) for place in places]
