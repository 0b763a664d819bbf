from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QMenu, QWidget

from ebmlab.gui import theme
from ebmlab.gui.views.row import Row
from ebmlab.paint.curves import Curve
from ebmlab.paint.legend import draw_entry, entry_size
from ebmlab.paint.shapes import painting


class Legend(Row):
    """One switch per curve; those that find no room go into a menu at the end.

    Signals:
        toggled: Key of a curve, and whether it is to be seen.
    """

    toggled = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(flush_right=True, parent=parent)
        self._entries: dict[str, Entry] = {}
        self._shown: tuple[object, ...] = ()
        self.menu.aboutToShow.connect(self._overflow)

    def set_curves(self, curves: Sequence[Curve], hidden: set[str]) -> None:
        """Shows a switch for each of these curves."""

        shown = tuple((c.key, c.label, c.help, c.role, c.dash, c.key in hidden) for c in curves)
        if shown == self._shown:
            self.fit()  # what stands beside it may have grown
            return
        self._shown = shown
        self._entries = {c.key: self._entries.get(c.key) or self._made(c.key) for c in curves}
        for curve in curves:
            entry = self._entries[curve.key]
            entry.show_curve(curve)
            entry.setChecked(curve.key not in hidden)
        self.set_widgets(list(self._entries.values()))

    def fill(self, menu: QMenu, *, left_out_only: bool = False) -> None:
        """Adds the same switches to a menu."""

        for entry in self._entries.values():
            if entry.isHidden() or not left_out_only:
                action = QAction(entry.text(), menu, checkable=True, checked=entry.isChecked())
                action.triggered.connect(entry.click)
                menu.addAction(action)

    def _overflow(self) -> None:
        self.menu.clear()
        self.fill(self.menu, left_out_only=True)

    def _made(self, key: str) -> Entry:
        entry = Entry(self)
        entry.setObjectName(f"legend-{key}")
        entry.clicked.connect(lambda on: self.toggled.emit(key, on))
        return entry


class Entry(QAbstractButton):
    """A piece of a curve's line with its name, fainter while the curve is hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._curve: Curve | None = None

    def show_curve(self, curve: Curve) -> None:
        """Takes on the name, the line and the tool-tip of a curve."""

        new = self._curve is None or (curve.label, curve.help) != (self.text(), self.toolTip())
        self._curve = curve
        if new:
            self.setText(curve.label)
            self.setToolTip(curve.help)
            self.setAccessibleName(curve.label)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return entry_size(self.text(), theme.current())

    def paintEvent(self, event: QPaintEvent) -> None:
        look, room = theme.current(), QRectF(self.rect())
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.underMouse() or self.hasFocus():
                edge = look.palette.accent if self.hasFocus() else look.palette.line
                painter.setPen(QPen(theme.mix(edge, look.palette.panel, 1.0), 1))
                painter.drawRoundedRect(room.adjusted(0.5, 1.5, -0.5, -1.5), 4, 4)
            if self._curve is not None:
                draw_entry(painter, room, self._curve, look, self.isChecked())
