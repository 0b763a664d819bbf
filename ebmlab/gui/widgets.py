"""Small widgets that forms are built of: they let the wheel scroll the panel, and shorten what does not fit."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QIcon, QKeyEvent, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from ebmlab.gui import theme


def set_flag(widget: QWidget, name: str, on: bool) -> None:
    """Sets a property that the style sheet asks for."""

    if bool(widget.property(name)) != on:
        widget.setProperty(name, on)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Slider(QSlider):
    """A horizontal slider that takes the wheel only while it has the focus.

    Signals:
        left: The focus went elsewhere.
    """

    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(40)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


class Combo(QComboBox):
    """A combo box that takes no wheel, shortens its text with an ellipsis, and opens as wide as its entries."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMaxVisibleItems(30)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def showPopup(self) -> None:
        px = theme.current().px
        self.view().setMinimumWidth(min(self.view().sizeHintForColumn(0) + px(24), px(620)))
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.width() - theme.current().px(24)
        text = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)
        option.currentText = text  # type: ignore[attr-defined]
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class Field(QLineEdit):
    """A field of one line, which shows its beginning when left.

    Signals:
        nudged: The arrow keys ask for a number one up or down.
        reverted: Escape asks for what was there before.
    """

    nudged = Signal(int)
    reverted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.nudged.emit(1 if key == Qt.Key.Key_Up else -1)
        elif key == Qt.Key.Key_Escape and self.isModified():
            self.reverted.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.setCursorPosition(0)

    def show_text(self, text: str) -> None:
        """Replaces the text by what is now true, from its beginning."""

        if text != self.text():
            self.setText(text)
            self.setCursorPosition(len(text) if self.hasFocus() else 0)
        self.setModified(False)


class Label(QLabel):
    """A label of one line that shortens its text with an ellipsis."""

    def __init__(self, text: str, parent: QWidget | None = None, *, muted: bool = False) -> None:
        super().__init__(parent)
        self._text = text
        self.setProperty("muted", muted)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Shows another text."""

        self._text = text
        self.setAccessibleName(text)
        self._shorten()

    def _shorten(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, max(self.width(), 20)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._shorten()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._text) + 2, super().sizeHint().height())


class IconButton(QToolButton):
    """A button with an icon that follows the theme, named for screen readers."""

    def __init__(
        self, name: str, text: str, parent: QWidget | None = None, *, size: int = 16, flat: bool = True
    ) -> None:
        super().__init__(parent)
        self._name, self._size = name, size
        self.setProperty("flat", flat)
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._dress()
        theme.signals.changed.connect(self._dress)

    def set_icon(self, name: str) -> None:
        """Shows another icon."""

        self._name = name
        self._dress()

    def _dress(self) -> None:
        look = theme.current()
        self.setIcon(self._make(look.palette))
        self.setIconSize(QSize(look.px(self._size), look.px(self._size)))

    def _make(self, palette: theme.Palette) -> QIcon:
        return theme.icon(self._name, palette)


class Fold(IconButton):
    """A heading that hides and shows what lies below it."""

    def __init__(self, text: str, bodies: Iterable[QWidget], parent: QWidget | None = None) -> None:
        super().__init__("chevron-down", text, parent, size=12)
        self._bodies = list(bodies)
        self.setProperty("fold", True)
        self.setText(text)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setToolTip(self.tr("Fold or unfold this section"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.unfolded: bool = True
        self.clicked.connect(self._turn)

    def _turn(self) -> None:
        self.unfold(not self.unfolded)

    def unfold(self, on: bool) -> None:
        """Shows the bodies, or hides them."""

        self.unfolded = on
        self.set_icon("chevron-down" if on else "chevron-right")
        for body in self._bodies:
            body.setVisible(on)
