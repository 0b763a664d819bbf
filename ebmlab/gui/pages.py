from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget, QWidget


class Pages(QStackedWidget):
    """What may stand in the middle of the window: the canvas with its charts, or a page that takes their place.

    A page is made when its action first asks for it. The run goes on behind it.

    Arguments:
        home: What stands there unless a page does.
    """

    def __init__(self, home: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.home = home
        self._actions: dict[QAction, Callable[[], QWidget]] = {}
        self._made: dict[QAction, QWidget] = {}
        self.addWidget(home)

    def add(self, action: QAction, make: Callable[[], QWidget]) -> None:
        """Lets a checkable action show a page, and put it away again."""

        self._actions[action] = make
        action.toggled.connect(lambda on: self._turn(action, on))

    def go_home(self) -> bool:
        """Puts the page away, if there is one; returns whether there was."""

        shown = next((action for action in self._actions if action.isChecked()), None)
        if shown is not None:
            shown.setChecked(False)
        return shown is not None

    def _turn(self, action: QAction, on: bool) -> None:
        if not on:
            if self.currentWidget() is self._made.get(action):
                self.setCurrentWidget(self.home)
            return
        for other in self._actions:
            if other is not action:
                other.setChecked(False)
        if action not in self._made:
            self._made[action] = self._actions[action]()
            self.addWidget(self._made[action])
        self.setCurrentWidget(self._made[action])
        self._made[action].setFocus()
