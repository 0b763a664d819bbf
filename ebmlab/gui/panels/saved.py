from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ebmlab.gui.widgets import set_flag


class Saved(QWidget):
    """Tells how a file came out, and leads to it: hidden until there is something to tell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = ""
        self.text = QLabel(wordWrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.folder = QPushButton(self.tr("Open folder"))
        self.folder.setToolTip(self.tr("Opens the folder that the file is in"))
        self.folder.clicked.connect(lambda _=False: self._open())
        self.copy = QPushButton(self.tr("Copy path"))
        self.copy.setToolTip(self.tr("Copies the file's path"))
        self.copy.clicked.connect(lambda _=False: QGuiApplication.clipboard().setText(self._path))
        row = QHBoxLayout()
        row.addWidget(self.folder)
        row.addWidget(self.copy)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.text)
        column.addLayout(row)
        self.hide()

    def show_file(self, path: str, said: str) -> None:
        """Tells of a file that was written."""

        self._path = str(Path(path).absolute())
        self._say(f"{self._path}\n{said}" if said else self._path, fault=False)

    def show_fault(self, text: str) -> None:
        """Tells why there is none."""

        self._say(text, fault=True)

    def clear(self) -> None:
        """Tells nothing."""

        self.hide()

    def _say(self, text: str, *, fault: bool) -> None:
        self.text.setText(text)
        set_flag(self.text, "fault", fault)
        for button in (self.folder, self.copy):
            button.setVisible(not fault)
        self.show()

    def _open(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self._path).parent)))


def size_of(path: str) -> str:
    """Returns how large a file is, or all that is in a folder, as one reads it."""

    place = Path(path)
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


def closing(dialog: QDialog, save: QPushButton) -> QHBoxLayout:
    """Returns the row at the foot of a dialog: the button that saves, and the one that closes."""

    close = QPushButton(dialog.tr("Close"))
    close.setToolTip(dialog.tr("Closes the dialog; what is under way is called off (Esc)"))
    close.setAutoDefault(False)
    close.clicked.connect(lambda _=False: dialog.reject())
    save.setAutoDefault(False)
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(save)
    row.addWidget(close)
    return row
