from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ebmlab.gui import theme


class Finder(QDialog):
    """Every action by name: type a few letters of any of its words, then Enter."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = [action for action in actions if action.objectName() != "find"]
        self.setWindowTitle(self.tr("Find an action"))
        self.setObjectName("finder")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._line = QLineEdit()
        self._line.setPlaceholderText(self.tr("Find an action…"))
        self._line.setAccessibleName(self.tr("Name of the action"))
        self._line.textChanged.connect(self._search)
        self._line.returnPressed.connect(self._choose)
        self._line.installEventFilter(self)
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Actions found"))
        self._list.itemActivated.connect(lambda _: self._choose())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self._line)
        layout.addWidget(self._list)
        self.resize(theme.current().px(420), theme.current().px(380))
        self._search("")

    def found(self) -> list[str]:
        """Returns the names of the actions that are listed."""

        return [self._list.item(i).data(Qt.ItemDataRole.UserRole).objectName() for i in range(self._list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            by = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if by and self._list.count():
                self._list.setCurrentRow((self._list.currentRow() + by) % self._list.count())
                return True
        return False

    def _search(self, text: str) -> None:
        self._list.clear()
        words = text.lower().split()
        for action in self._actions:
            name = plain(action.text())
            if action.isEnabled() and all(word in f"{name} {action.toolTip()}".lower() for word in words):
                keys = action.shortcut().toString()
                item = QListWidgetItem(action.icon(), f"{name}    {keys}" if keys else name)
                item.setToolTip(action.toolTip())
                item.setSizeHint(QSize(0, theme.current().px(28)))
                item.setData(Qt.ItemDataRole.UserRole, action)
                self._list.addItem(item)
        self._list.setCurrentRow(0)

    def _choose(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            action: QAction = item.data(Qt.ItemDataRole.UserRole)
            self.accept()
            action.trigger()


def plain(text: str) -> str:
    """Returns a menu's text without its mnemonic and dots."""

    return text.replace("&", "").rstrip("….")
