from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from ebmlab.gui import theme


class ErrorBar(QFrame):
    """One sentence about what went wrong, above the canvas; it stops nobody from going on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._detail, self._fault = "", True
        self.setObjectName("error-bar")
        self._mark = QLabel()
        self._label = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        copy = QPushButton(self.tr("Copy"))
        copy.setObjectName("copy-error")
        copy.setToolTip(self.tr("Copy the message, with all details, for a bug report"))
        copy.clicked.connect(self.copy)
        close = QToolButton()
        close.setText("×")
        close.setObjectName("close-error")
        close.setProperty("flat", True)
        close.setAccessibleName(self.tr("Close the message"))
        close.setToolTip(self.tr("Close the message"))
        close.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(10)
        layout.addWidget(self._mark)
        layout.addWidget(self._label, 1)
        layout.addWidget(copy)
        layout.addWidget(close)
        theme.signals.changed.connect(self._dress)
        self._dress()
        self.hide()

    @property
    def text(self) -> str:
        """What the bar says; empty while it is hidden."""

        return self._label.text() if not self.isHidden() else ""

    def show_message(self, text: str, detail: str = "") -> None:
        """Shows a sentence; the details are only copied."""

        self._detail, self._fault = detail, True
        self._dress()
        self._label.setText(text)
        self.setAccessibleName(text)
        self.show()

    def show_note(self, text: str) -> None:
        """Shows a sentence that is no fault."""

        self.show_message(text)
        self._fault = False
        self._dress()

    def clear(self) -> None:
        """Hides the bar."""

        self.hide()

    def copy(self) -> None:
        """Puts the message and its details on the clipboard."""

        text = "\n\n".join(filter(None, (self._label.text(), self._detail)))
        QGuiApplication.clipboard().setText(text)

    def _dress(self) -> None:
        look = theme.current()
        p = look.palette
        icon, colour = ("bad", p.red) if self._fault else ("info", p.muted)
        self._mark.setPixmap(theme.pixmap(icon, look.px(14), colour))
        ground = theme.mix(colour, p.panel, 0.12).name()
        self.setStyleSheet(f"#error-bar {{ background: {ground}; border: 1px solid {colour}; border-radius: 8px; }}")
