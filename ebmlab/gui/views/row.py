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
        counted: Whether the button at the end says how many find no room.

    Attributes:
        more: The button at the end.
        menu: Its menu; its owner fills it when it is about to be shown.
    """

    def __init__(
        self, *, flush_right: bool = False, spacing: int = 0, counted: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._widgets: list[QWidget] = []
        self._spacing, self._counted = spacing, counted
        self.more = QToolButton(self)
        self.more.setProperty("flat", True)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setText("…")
        self.more.setAccessibleName(self.tr("More"))
        self.more.setToolTip(self.tr("What finds no room here"))
        self.more.hide()
        self.menu = QMenu(self.more)
        self.more.setMenu(self.menu)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(spacing)
        self._first = int(flush_right)
        if flush_right:
            self._layout.addStretch(1)
        self._layout.addWidget(self.more)
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

        self.more.setFixedWidth(self._reserve())
        widths = [w.sizeHint().width() + self._spacing for w in self._widgets]
        room = before = self.width()
        if sum(widths) > room:
            room -= self.more.width()
        used = 0
        for widget, width in zip(self._widgets, widths):
            used += width
            widget.setVisible(used <= room)
            if self.width() != before:  # showing it has laid out the row anew, and so fitted it
                return
        self.more.setVisible(bool(widths) and used > room)
        if self._counted and used > room:
            self.more.setText(self._count(len(self.left_out())))
            self.more.setAccessibleName(self.more.text())

    def _count(self, number: int) -> str:
        return self.tr("+%1 more").replace("%1", str(number))

    def _reserve(self) -> int:
        """Returns the width of the button at the end."""

        px = theme.current().px
        return self.more.fontMetrics().horizontalAdvance(self._count(99)) + px(8) if self._counted else px(20)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(self.more.width(), self.more.sizeHint().height())
