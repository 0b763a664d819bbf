from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.session.timeline import Moment

_LEAVE = Qt.Key.Key_Escape
MOST = 80
"""Letters of a name."""


class MomentEditor(QFrame):
    """Asks for the name of a step, and for a note, over the window; leaving it but by Escape takes what it says.

    Arguments:
        moment: The step as it is named so far.
        new: Whether it had no name before.
        window: What it lies over.

    Signals:
        named: The step with its name, empty if it shall have none.
    """

    named = Signal(object)

    def __init__(self, moment: Moment, new: bool, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("moment-editor")
        self.setProperty("card", True)
        self._moment, self._new, self._dropped = moment, new, False
        self.name = self._field(moment.name, self.tr("Name"))
        self.note = self._field(moment.note, self.tr("Note"))
        self.name.setMaxLength(MOST)
        take, drop = QPushButton(self.tr("Name it")), QPushButton(self.tr("Remove"))
        take.setProperty("primary", True)
        take.setToolTip(self.tr("Names the step (Enter)"))
        drop.setToolTip(self.tr("Takes the name away (Delete on the timeline)"))
        drop.setVisible(not new)
        take.clicked.connect(self.close)
        drop.clicked.connect(self._drop)
        heading = QLabel(self.tr("Step {}").format(f"{moment.step:,}"))
        heading.setProperty("heading", True)
        column, row = QVBoxLayout(self), QHBoxLayout()
        for widget in (heading, self.name, self.note):
            column.addWidget(widget)
        row.addWidget(drop)
        row.addStretch(1)
        row.addWidget(take)
        column.addLayout(row)
        self.setFixedWidth(theme.current().px(260))

    def open_above(self, widget: QWidget) -> None:
        """Shows it above a widget of the same window, at its right end."""

        self.adjustSize()
        at = widget.mapTo(widget.window(), QPoint(widget.width() - self.width(), -self.height() - 4))
        self.move(max(at.x(), 0), max(at.y(), 0))
        self.show()
        self.raise_()
        self.name.setFocus()
        self.name.selectAll()
        QGuiApplication.instance().focusObjectChanged.connect(self._look_where)  # type: ignore[union-attr]

    def event(self, event: QEvent) -> bool:
        # Escape means the window's own leaving elsewhere.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() == _LEAVE:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == _LEAVE:
            self._dropped = True
            self.named.emit(Moment(self._moment.step, "") if self._new else self._moment)
            self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._dropped:
            self.named.emit(Moment(self._moment.step, self.name.text().strip(), self.note.text().strip()))
        super().closeEvent(event)

    def _look_where(self, reached: QObject | None) -> None:
        """Is left when something else in the window is reached."""

        if isinstance(reached, QWidget) and not self.isAncestorOf(reached):
            self.close()

    def _drop(self) -> None:
        self._dropped = True
        self.named.emit(Moment(self._moment.step, ""))
        self.close()

    def _field(self, text: str, name: str) -> QLineEdit:
        field = QLineEdit(text)
        field.setAccessibleName(name)
        field.setPlaceholderText(name)
        field.setToolTip(name)
        return field
