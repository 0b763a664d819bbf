from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QPainter

from ebmlab.engine.targets import Drawing, Target
from ebmlab.gui import theme
from ebmlab.gui.views import tools
from ebmlab.gui.views.stamps import StampTool
from ebmlab.gui.views.tools import Marks, Pen, Settings, Tool
from ebmlab.paint.projection import Point, Projection

TOOLS: dict[str, Callable[[], Tool]] = {
    "brush": tools.brush,
    "spray": tools.spray,
    "line": tools.line,
    "eraser": tools.eraser,
    "stamp": StampTool,
}
PERIOD = 66
"""Milliseconds between two emissions while the pen is down."""


class Pencil(QObject):
    """What draws the target: keeps the drawing, the tool at hand, and how often the rest is told.

    Signals:
        edited: The target as it is now, about 15 times a second while the pen is down, and once more at the end.
        stroke_finished: The pen was taken off.
        refused: Why a stroke was not begun, as a sentence.
        changed: What the tool paints has changed.
    """

    edited = Signal(object)
    stroke_finished = Signal()
    refused = Signal(str)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool: Tool | None = None
        self.target: Target | None = None
        self.hover: Point | None = None
        self.down = False
        self._settings = Settings()
        self._timer = QTimer(self)
        self._timer.setInterval(PERIOD)
        self._timer.timeout.connect(self._beat)
        self._pending = False
        self._unsettled: Target | None = None

    @property
    def marks(self) -> Marks:
        """What is drawn so far; nothing if the target is no drawing."""

        return self.target.marks if isinstance(self.target, Drawing) else ()

    def set_tool(self, name: str) -> None:
        """Takes up a tool, or none with an empty name."""

        self.lift()
        self.tool = TOOLS[name]() if name else None
        if self.tool is not None:
            self.tool.settings = self._settings
            self.tool.choose(self.marks)
        self.changed.emit()

    def set_settings(self, settings: Settings) -> None:
        """Sets what the next stroke is made with."""

        self._settings = settings
        if self.tool is not None and not self.down:
            self.tool.settings = settings
        self.changed.emit()

    def show_target(self, target: Target) -> None:
        """Takes over a target that was changed elsewhere; a stroke under way keeps its own."""

        if not self.down and target is not self.target:
            self.target = target
            if self.tool is not None:
                self.tool.choose(self.marks)
            self.changed.emit()

    def settle(self, target: Target) -> None:
        """Takes note of the target that the session shows."""

        if self.tool is not None and not self.down and self._unsettled is not None and target == self._unsettled:
            self.tool.settled()
            self._unsettled = None

    def press(self, at: Point, unit: float) -> None:
        """Puts the pen down."""

        if self.tool is None:
            return
        if isinstance(self.tool, Pen) and self.tool.erases and not self.marks:
            self.refused.emit(self.tr("there is nothing drawn to erase; draw with the brush first"))
            return
        self.tool.seed = len(self.marks)
        self.tool.press(at, self.marks, unit)
        self.down = self._pending = True
        self._timer.start()
        self.changed.emit()

    def drag(self, at: Point) -> None:
        """Moves the pen."""

        if self.down and self.tool is not None:
            self.tool.drag(at)
            self._pending = True
            self.changed.emit()

    def lift(self) -> None:
        """Takes the pen off."""

        if not self.down or self.tool is None:
            return
        self._timer.stop()
        self.down = False
        self._finish(self.tool.marks())

    def remove(self) -> bool:
        """Deletes the selected stamp; returns whether there was one."""

        if not isinstance(self.tool, StampTool) or self.tool.stamp is None or self.down:
            return False
        self._finish(self.tool.remove())
        return True

    def nudge(self, dx: float, dy: float) -> bool:
        """Moves the selected stamp; returns whether there was one."""

        if not isinstance(self.tool, StampTool) or self.tool.stamp is None or self.down:
            return False
        self._finish(self.tool.nudge(dx, dy))
        return True

    def sketch(self, painter: QPainter, projection: Projection) -> None:
        """Paints what the tool is about."""

        if self.tool is not None:
            self.tool.sketch(painter, projection, self.hover, theme.current().palette)

    def _beat(self) -> None:
        if self.tool is not None and (self.tool.linger() or self._pending):
            self._pending = False
            self._emit(self.tool.marks())

    def _emit(self, marks: Marks) -> None:
        self.target = Drawing(marks=marks)
        self._unsettled = self.target
        self.edited.emit(self.target)

    def _finish(self, marks: Marks) -> None:
        self._emit(marks)
        self.stroke_finished.emit()
        self.changed.emit()
