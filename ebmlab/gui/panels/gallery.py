from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSplitter, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.panels.cards import Cards
from ebmlab.gui.panels.exhibit import ExhibitSheet
from ebmlab.session.gallery import Exhibit, exhibits

SHEET = 340


class GalleryPage(QWidget):
    """The gallery: cards on the left, the exhibit that was chosen on the right.

    Arguments:
        device: What a claim is checked on.

    Signals:
        opened: An exhibit, and the name of its run that shall be opened.
    """

    opened = Signal(object, str)

    def __init__(self, device: str = "auto", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("gallery-page")
        shown = exhibits()
        self.seek = QLineEdit()
        self.seek.setPlaceholderText(self.tr("Search the gallery"))
        self.seek.setAccessibleName(self.tr("Search the gallery"))
        self.seek.setToolTip(self.tr("Shows the exhibits that hold these words"))
        self.seek.setClearButtonEnabled(True)
        self.cards = Cards(shown)
        self.sheet = ExhibitSheet(device)
        self._nothing = QLabel(self.tr("No exhibit holds these words."))
        self._nothing.setProperty("muted", True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()
        self.seek.textChanged.connect(self._sought)
        self.cards.chosen.connect(self.sheet.show_exhibit)
        self.cards.entered.connect(lambda exhibit: self.opened.emit(exhibit, ""))
        self.sheet.opened.connect(self._open)
        if self.cards.current is not None:
            self.sheet.show_exhibit(self.cards.current)
        self._nothing.setVisible(not shown)

    def _lay_out(self) -> None:
        look = theme.current()
        title = QLabel(self.tr("Gallery"))
        title.setProperty("heading", True)
        top = QHBoxLayout()
        top.addWidget(title)
        top.addStretch(1)
        top.addWidget(self.seek, 1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addWidget(self._nothing)
        column.addWidget(self.cards, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(look.px(8))
        split.addWidget(left)
        split.addWidget(self.sheet)
        split.setStretchFactor(0, 1)
        split.setSizes([look.px(720), look.px(SHEET)])
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(split)

    def close_down(self) -> None:
        """Calls off a check that is under way."""

        self.sheet.close_down()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.cards.setFocus()

    def _sought(self, words: str) -> None:
        self.cards.seek(words)
        self._nothing.setVisible(self.cards.model().rowCount() == 0)

    def _open(self, run: str) -> None:
        exhibit: Exhibit | None = self.cards.current
        if exhibit is not None:
            self.opened.emit(exhibit, run)
