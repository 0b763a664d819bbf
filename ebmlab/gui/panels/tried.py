from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from time import monotonic

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ebmlab.gui import theme
from ebmlab.gui.errands import ErrandBar
from ebmlab.gui.panels.comparison import Comparison
from ebmlab.gui.panels.tried_rows import buttons, spelled_out, under_way
from ebmlab.gui.panels.tried_table import TriedModel, TriedTable
from ebmlab.gui.widgets import Combo, Label
from ebmlab.record.sweep import save_csv
from ebmlab.session.errand import Outcome
from ebmlab.session.share import link
from ebmlab.session.snapshot import Snapshot
from ebmlab.session.sweep.folder import read_tried
from ebmlab.session.tried import Tried
from ebmlab.spec import BadInput

PERIOD = 0.5
"""Seconds between two looks at the run under way."""
PATIENCE = 500
"""Milliseconds of reading after which it shows how far it is."""
Read = Callable[[], list[Tried]]


class TriedPage(QWidget):
    """What was tried: the runs of this lab, or of a sweep, as a table of recipes, compute time and exact figures.

    Arguments:
        own: Reads the runs of this lab, in a thread of its own.

    Signals:
        opened: A run that shall be opened, and whether it is one of this lab.
        forgotten: Runs of this lab that shall be deleted.
        failed: A sentence about what could not be done.
    """

    opened = Signal(object, bool)
    forgotten = Signal(object)
    failed = Signal(str)

    def __init__(self, own: Read, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tried-page")
        self._due = 0.0
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE)
        self._patience.timeout.connect(lambda: self.errand.show())
        self.model = TriedModel(self)
        self.table = TriedTable(self.model)
        self.comparison = Comparison()
        self.errand: ErrandBar[float, list[Tried]] = ErrandBar()
        self.source = self._make_source(own)
        self.seek = self._make_seek()
        self.buttons = buttons()
        self._count = Label("", muted=True)
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._lay_out()
        self._connect()
        self._show_chosen()
        self.refresh()

    def _make_source(self, own: Read) -> Combo:
        source = Combo()
        source.setObjectName("tried-source")
        source.setAccessibleName(self.tr("Where the runs are from"))
        source.setToolTip(self.tr("The runs of this lab, or those of a sweep"))
        source.addItem(self.tr("The runs of this lab"), own)
        return source

    def _make_seek(self) -> QLineEdit:
        seek = QLineEdit()
        seek.setPlaceholderText(self.tr("Search the runs"))
        seek.setAccessibleName(self.tr("Search the runs"))
        seek.setToolTip(self.tr("Shows the runs that hold these words: kinds, knobs, seeds and remarks are searched"))
        seek.setClearButtonEnabled(True)
        return seek

    def _lay_out(self) -> None:
        px = theme.current().px
        title = QLabel(self.tr("What was tried"))
        title.setProperty("heading", True)
        self.source.setMinimumWidth(px(130))
        top, low = QHBoxLayout(), QHBoxLayout()
        top.addWidget(title)
        top.addWidget(self.source, 1)
        top.addWidget(self.seek, 1)
        for name, button in self.buttons.items():
            if name == "export":
                low.addWidget(self._count, 1)
            (top if name == "sweep" else low).addWidget(button)
        card = QFrame()
        card.setProperty("card", True)
        column = QVBoxLayout(card)
        column.setContentsMargins(px(10), px(8), px(10), px(8))
        column.setSpacing(px(6))
        column.addLayout(top)
        column.addWidget(self.errand)
        column.addWidget(self.table, 1)
        column.addLayout(low)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(px(8))
        split.addWidget(card)
        split.addWidget(self.comparison)
        split.setStretchFactor(0, 1)
        split.setSizes([px(420), px(190)])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)

    def _connect(self) -> None:
        slots = {
            "open": self.open_chosen,
            "copy-recipe": self.copy_recipe,
            "copy-link": self.copy_link,
            "delete": self.ask_and_delete,
            "sweep": self._ask_sweep,
            "export": self._ask_export,
        }
        for name, slot in slots.items():
            self.buttons[name].clicked.connect(lambda _=False, slot=slot: slot())
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_chosen())
        self.table.doubleClicked.connect(lambda _: self.open_chosen())
        self.model.modelReset.connect(self._show_chosen)
        self.seek.textChanged.connect(self._sought)
        self.source.currentIndexChanged.connect(lambda _: self.refresh())
        self.errand.ended.connect(self._ended)

    def refresh(self) -> None:
        """Reads the runs anew."""

        read: Read = self.source.currentData()
        self.errand.hide()
        self._patience.start()
        self.errand.begin(lambda: _reading(read), lambda share: (share, ""))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Shows the run under way as it is now, at most twice a second."""

        if self.isVisible() and monotonic() >= self._due and not snapshot.past:
            self._due = monotonic() + PERIOD
            self.model.show_running(under_way(snapshot) if self.own else None)

    @property
    def own(self) -> bool:
        """Whether the runs shown are those of this lab."""

        return self.source.currentIndex() == 0

    def open_sweep(self, path: str) -> None:
        """Shows the runs of a sweep's folder, and offers it from now on."""

        place = self.source.findText(path)
        if place < 0:
            self.source.addItem(path, partial(read_tried, path))
            place = self.source.count() - 1
        self.source.setCurrentIndex(place)

    def open_chosen(self) -> None:
        """Asks for the one run that is chosen."""

        if len(chosen := self._ended_ones()) == 1:
            self.opened.emit(chosen[0], self.own)

    def copy_recipe(self) -> None:
        """Puts the chosen run's recipe on the clipboard."""

        if len(self.table.chosen) == 1:
            QGuiApplication.clipboard().setText(self.table.chosen[0].recipe.dumps())

    def copy_link(self) -> None:
        """Puts the chosen run's recipe on the clipboard as a link."""

        if len(self.table.chosen) == 1:
            self._attempt(lambda: QGuiApplication.clipboard().setText(link(self.table.chosen[0].recipe)))

    def ask_and_delete(self) -> None:
        """Deletes the chosen runs, once the user has said so."""

        rows = self._ended_ones()
        if not rows or not self.own:
            return
        button = QMessageBox.StandardButton
        text = self.tr("Runs to delete, with the files of their sessions: {}. This cannot be undone.").format(len(rows))
        if QMessageBox.question(self, self.tr("Delete runs"), text, button.Yes | button.Cancel) == button.Yes:
            self.forgotten.emit(tuple(rows))

    def export(self, path: str) -> None:
        """Saves the runs that are listed as CSV."""

        shown = self.table.sorted
        rows = [self.model.row(shown.mapToSource(shown.index(i, 0)).row()) for i in range(shown.rowCount())]
        self._attempt(lambda: save_csv([spelled_out(row) for row in rows], path))

    def close_down(self) -> None:
        """Calls off a reading that is under way."""

        self._patience.stop()
        self.errand.close_down()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.table.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_recipe()
        elif event.key() == Qt.Key.Key_Delete:
            self.ask_and_delete()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_chosen()
        else:
            super().keyPressEvent(event)

    def _ended_ones(self) -> list[Tried]:
        return [row for row in self.table.chosen if row is not self.model.running]

    def _show_chosen(self) -> None:
        chosen, ended = self.table.chosen, self._ended_ones()
        self.comparison.show_runs(chosen)
        self.buttons["open"].setEnabled(len(ended) == len(chosen) == 1)
        for name in ("copy-recipe", "copy-link"):
            self.buttons[name].setEnabled(len(chosen) == 1)
        self.buttons["delete"].setEnabled(bool(ended) and self.own)
        self.buttons["export"].setEnabled(self.model.rowCount() > 0)
        self._show_count()

    def _show_count(self) -> None:
        shown, every = self.table.sorted.rowCount(), self.model.rowCount()
        self._count.show_text(self.tr("{} of {} runs").format(f"{shown:,}", f"{every:,}"))

    def _sought(self, text: str) -> None:
        self.table.sorted.seek(text)
        self._show_count()

    def _ended(self, outcome: Outcome[list[Tried]]) -> None:
        chosen = {row.name for row in self._ended_ones()}
        if not self.own:
            self.model.show_running(None)
        self.model.show_rows(outcome.result or [])
        self.table.choose(chosen)
        self._patience.stop()
        self.errand.setVisible(bool(outcome.fault))

    def _ask_sweep(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self.tr("The folder of a sweep"))
        if path:
            self.open_sweep(path)

    def _ask_export(self) -> None:
        kinds = self.tr("Tables ({})").format("*.csv")
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Save the table"), "tried.csv", kinds)
        if path:
            self.export(path if Path(path).suffix else f"{path}.csv")

    def _attempt(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except BadInput as fault:
            self.failed.emit(str(fault))
        except OSError as fault:
            reason = (fault.strerror or self.tr("cannot be written")).lower()
            self.failed.emit(self.tr("{}; choose another place").format(reason))


def _reading(read: Read) -> Generator[float, None, list[Tried]]:
    yield 0.0
    return read()
