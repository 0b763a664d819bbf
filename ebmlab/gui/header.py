"""The heading of a part: its name, its kind to choose, and what opens its page."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.kinds import offer
from ebmlab.gui.widgets import Combo, Fold, IconButton, Label


class Header(QWidget):
    """A line with title, kind and buttons. A kind too long for it goes to a line of its own.

    Arguments:
        name: The title.
        family: The family to choose the kind from; empty if there is no choice.
        body: What a bold title folds away; None for a plain title.

    Signals:
        chosen: The kind that was chosen.
    """

    chosen = Signal(str)

    def __init__(self, name: str, family: str, body: QWidget | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title: QWidget = Fold(name[:1].upper() + name[1:], [body], self) if body else Label(name, self)
        self.title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.combo, self.info = Combo(self), IconButton("info", self.tr("What it is: equation, caveat, papers"), self)
        self.combo.setProperty("quiet", True)
        self.combo.setAccessibleName(name)
        self.combo.setVisible(bool(family))
        offer(self.combo, family)
        self.combo.activated.connect(lambda index: self.chosen.emit(self.combo.itemData(index)))
        self.info.setCheckable(True)
        self._lines = QHBoxLayout(), QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for line in self._lines:
            line.setSpacing(theme.current().px(4))
            column.addLayout(line)
        self._lines[0].addWidget(self.title)
        self._lines[0].addWidget(self.combo, 1)
        self._lines[0].addStretch()
        self._lines[0].addWidget(self.info)

    def add(self, button: QWidget) -> None:
        """Adds a button at the right."""

        self._lines[0].addWidget(button)
        self._arrange()

    def show_kind(self, kind: str) -> None:
        """Shows which kind is chosen; tells nobody."""

        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(self.combo.findData(kind))
        self.combo.setToolTip(self.combo.currentText())
        self._arrange()

    def _arrange(self) -> None:
        text = self.combo.fontMetrics().horizontalAdvance(self.combo.currentText())
        line = self._lines[0]
        others = [w for i in range(line.count()) if (w := line.itemAt(i).widget()) and w is not self.combo]
        taken: int = sum(w.sizeHint().width() + 4 for w in others if not w.isHidden())
        long = self.title.isVisibleTo(self) and text + theme.current().px(28) > self.width() - taken
        here, there = self._lines if long else self._lines[::-1]
        if there.indexOf(self.combo) < 0:
            here.removeWidget(self.combo)
            there.insertWidget(min(1, there.count()), self.combo, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
