from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from ebmlab.gui import theme


class Row(QWidget):
    """Widgets side by side; those that find no room are hidden, from the end, and stand in a menu instead.

    Arguments:
        flush_right: Whether the widgets stand at the right.
        spacing: Pixels between two.

    Attributes:
        menu: The menu of the button at the end; its owner fills it when it is about to be shown.
    """

    def __init__(self, *, flush_right: bool = False, spacing: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widgets: list[QWidget] = []
        self._spacing = spacing
        self._more = QToolButton(self)
        self._more.setProperty("flat", True)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setText("…")
        self._more.setFixedWidth(theme.current().px(20))
        self._more.setAccessibleName(self.tr("More"))
        self._more.setToolTip(self.tr("What finds no room here"))
        self._more.hide()
        self.menu = QMenu(self._more)
        self._more.setMenu(self.menu)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(spacing)
        self._first = int(flush_right)
        if flush_right:
            self._layout.addStretch(1)
        self._layout.addWidget(self._more)
        if not flush_right:
            self._layout.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_widgets(self, widgets: Sequence[QWidget]) -> None:
        """Shows these widgets and no others."""

        for gone in [w for w in self._widgets if w not in widgets]:
            gone.hide()
            gone.deleteLater()
        for place, widget in enumerate(widgets):
            if place >= len(self._widgets) or self._widgets[place] is not widget:
                self._layout.insertWidget(self._first + place, widget)
        self._widgets = list(widgets)
        self.fit()

    def left_out(self) -> list[QWidget]:
        """Returns the widgets that find no room."""

        return [w for w in self._widgets if w.isHidden()]

    def fit(self) -> None:
        """Hides what finds no room."""

        widths = [w.sizeHint().width() + self._spacing for w in self._widgets]
        room = before = self.width()
        if sum(widths) > room:
            room -= self._more.width()
        used = 0
        for widget, width in zip(self._widgets, widths):
            used += width
            widget.setVisible(used <= room)
            if self.width() != before:  # showing it has laid out the row anew, and so fitted it
                return
        self._more.setVisible(bool(widths) and used > room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._more.width(), self._more.sizeHint().height())
