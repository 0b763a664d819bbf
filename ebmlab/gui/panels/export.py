from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ebmlab.engine.types import Work
from ebmlab.gui import theme
from ebmlab.gui.errands import ErrandBar
from ebmlab.gui.panels.saved import Saved, closing
from ebmlab.gui.widgets import set_flag
from ebmlab.record.export import EXPORTS, Exported, Format, export
from ebmlab.session.checkpoint import open_run
from ebmlab.session.errand import Outcome
from ebmlab.session.run import Run
from ebmlab.spec import BadInput

NAME = Qt.ItemDataRole.UserRole


class ExportDialog(QDialog):
    """Saves the trained energy, and what belongs to it, for other programs; tells how far the file is from torch."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("export-dialog")
        self.setWindowTitle(self.tr("Export model"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._run: Run | None = None
        self._closed, self._obstacle = False, ""
        self.formats = self._make_formats()
        self.help = QLabel(wordWrap=True)
        self.errand: ErrandBar[float, Exported] = ErrandBar()
        self.errand.ended.connect(self._ended)
        self.saved = Saved()
        self.save = QPushButton(self.tr("Save…"))
        self.save.setProperty("primary", True)
        self.save.setToolTip(self.tr("Asks for a file, writes it in the background, and reads it again"))
        self.save.clicked.connect(lambda _=False: self._ask_and_begin())
        self._lay_out()
        self.formats.setCurrentRow(0)

    def _make_formats(self) -> QListWidget:
        box = QListWidget()
        box.setAccessibleName(self.tr("Formats"))
        box.setToolTip(self.tr("What the energy is saved as"))
        for name, form in EXPORTS.items():
            item = QListWidgetItem(f"{form.title}  ({form.ending})", box)
            item.setData(NAME, name)
            item.setToolTip(form.help)
            item.setSizeHint(QSize(0, theme.current().px(24)))
        box.currentRowChanged.connect(lambda _: self._show_format())
        box.itemActivated.connect(lambda _: self._ask_and_begin())
        return box

    def _lay_out(self) -> None:
        px = theme.current().px
        column = QVBoxLayout(self)
        column.setSpacing(px(8))
        column.addWidget(self.formats, 1)
        for widget in (self.help, self.errand, self.saved):
            column.addWidget(widget)
        column.addLayout(closing(self, self.save))
        self.help.setMinimumHeight(px(36))
        self.resize(px(460), px(440))

    def show_run(self, run: Run) -> None:
        """Takes the run whose energy is exported, as it was handed out."""

        if not self._closed:
            self._run = run
            self._show_format()

    @property
    def name(self) -> str:
        """The format that is chosen."""

        return str(self.formats.currentItem().data(NAME))

    @property
    def format(self) -> Format:
        """What is known about it."""

        return EXPORTS[self.name]

    def begin(self, path: str) -> None:
        """Writes the file."""

        if (run := self._run) is not None:
            name = self.name
            self.saved.clear()
            self.errand.begin(lambda: _exporting(run, name, path), lambda share: (share, ""))
            self._show_format()

    def reject(self) -> None:
        self.close_down()
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.close_down()
        super().closeEvent(event)

    def close_down(self) -> None:
        """Calls off the export that is under way."""

        self._closed = True
        self.errand.close_down()

    def _show_format(self) -> None:
        self._obstacle = ""
        try:
            self.format.demand()
        except BadInput as fault:
            self._obstacle = str(fault)
        self.help.setText(self._obstacle or self.format.help)
        set_flag(self.help, "fault", bool(self._obstacle))
        self.save.setEnabled(self._run is not None and not self._obstacle and not self.errand.busy)

    def _ask_and_begin(self) -> None:
        if self._run is None or not self.save.isEnabled():
            return
        recipe, form = self._run.recipe, self.format
        name = f"{recipe.target.kind}-{recipe.energy.kind}{form.ending}"
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export as"), name, f"{form.title} (*{form.ending})")
        if path:
            self.begin(path if Path(path).suffix else path + form.ending)

    def _ended(self, outcome: Outcome[Exported]) -> None:
        done = outcome.result
        self.errand.clear()
        if fault := outcome.fault or (done.fault if done else ""):
            self.saved.show_fault(fault)
        elif done is not None:
            self.saved.show_file(done.path, self._said(done))
        self._show_format()

    def _said(self, done: Exported) -> str:
        size = self.tr("{} bytes").format(f"{done.size:,}")
        if done.check is None:
            return size
        said = self.tr("{size}; read again by {by} at {points} points: at most {error} from torch")
        check = done.check
        return said.format(size=size, by=check.by, points=f"{check.points:,}", error=f"{check.error:.1e}")


def _exporting(run: Run, name: str, path: str) -> Work[Exported]:
    yield 0.0
    return (yield from export(open_run(run, "cpu"), name, path, run))
