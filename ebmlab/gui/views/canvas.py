from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from ebmlab.engine.targets import Target
from ebmlab.engine.types import Window
from ebmlab.gui import theme
from ebmlab.gui.views.commands import Commands
from ebmlab.gui.views.pane import Pane
from ebmlab.gui.views.pencil import Pencil
from ebmlab.gui.views.sight import wanted
from ebmlab.gui.views.tools import Settings
from ebmlab.paint.fields import Fields
from ebmlab.paint.plane import Shared
from ebmlab.paint.projection import Point, moved, zoomed
from ebmlab.paint.shows import number
from ebmlab.session.snapshot import Lens, Snapshot

PANES = ("target", "energy", "model", "difference")
_LENS_DELAY = 50  # milliseconds; a turn of the wheel is many events
_FIGURE_PERIOD = 500
_WIDEST, _NARROWEST = 1e6, 1e-3  # of the window, in units of the plane


class Canvas(QWidget):
    """The centre of the lab: up to four linked pictures of the plane, and the tools that draw the target.

    Signals:
        lens_changed: The :class:`Lens` through which the session should look from now on.
        edited: The target as it is being drawn.
        stroke_finished: The pen was taken off: what was edited since it came down is one thing to undo.
        refused: Why a stroke was not begun, as a sentence.
    """

    lens_changed = Signal(object)
    edited = Signal(object)
    stroke_finished = Signal()
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._shared = Shared()
        self._home: Window = self._shared.window
        self._lens = Lens()
        self._layout, self._expanded = 4, False
        self.pencil = Pencil(self)
        self.pencil.edited.connect(self.edited)
        self.pencil.stroke_finished.connect(self.stroke_finished)
        self.pencil.refused.connect(self.refused)
        self.pencil.changed.connect(self._repaint)
        self._shared.sketch = self.pencil.sketch
        self.panes = tuple(self._pane(i, show) for i, show in enumerate(PANES))
        self._active = self.panes[0]
        self._turn = 0
        self._asking = QTimer(self, singleShot=True, interval=_LENS_DELAY)
        self._asking.timeout.connect(self._ask)
        self._telling = QTimer(self, singleShot=True, interval=_FIGURE_PERIOD)
        self._telling.timeout.connect(self._tell)
        self.commands = Commands(self, self)
        for pane in self.panes:
            pane.chosen.connect(self._chosen)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._arrange()
        theme.signals.changed.connect(self._dress)
        self._dress()

    # What others call

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Shows a snapshot."""

        shared, before = self._shared, self._shared.fields
        if before is None or snapshot.recipe.window != before.snapshot.recipe.window:
            self._home = snapshot.recipe.window
            self.reset_zoom()
        if before is None:
            self.pencil.show_target(snapshot.recipe.target)
        shared.take(snapshot)
        if any(pane.kind == "samples" for pane in self.visible_panes):
            shared.histogram.count(snapshot)
        self.pencil.settle(snapshot.recipe.target)
        self._repaint_due(snapshot, before)
        if not self._telling.isActive():
            self._telling.start()

    def show_target(self, target: Target) -> None:
        """Takes over a target that was changed elsewhere, by undo or by the form, so that drawing goes on from it."""

        self.pencil.show_target(target)

    def set_tool(self, name: str) -> None:
        """Takes up brush, spray, line, eraser or stamp; with an empty name the left button pans."""

        self.pencil.set_tool(name)
        for pane in self.panes:
            pane.plane.drawing = bool(name)
            pane.plane.setCursor(Qt.CursorShape.CrossCursor if name else Qt.CursorShape.ArrowCursor)

    def set_settings(self, radius: float, strength: float) -> None:
        """Sets what the next stroke is made with: its radius in units of the plane, and its strength."""

        self.pencil.set_settings(Settings(radius=radius, strength=strength))

    def set_layout(self, panes: int) -> None:
        """Shows 1, 2 or 4 panes."""

        self._layout, self._expanded = panes, False
        self._arrange()

    def show_in_active(self, kind: str) -> None:
        """Chooses what the active pane shows, a key of ``SHOWS``."""

        self._active.show_kind(kind)

    def reset_zoom(self) -> None:
        """Goes back to the window of the recipe."""

        self.show_rectangle(self._home)

    @property
    def lens(self) -> Lens:
        """What the visible panes need."""

        return self._lens

    @property
    def rectangle(self) -> Window:
        """The part of the plane that the panes show."""

        return self._shared.window

    @property
    def active_pane(self) -> Pane:
        """The pane that the keyboard speaks to."""

        return self._active

    @property
    def visible_panes(self) -> tuple[Pane, ...]:
        """The panes on the screen, in reading order."""

        return (self._active,) if self._expanded or self._layout == 1 else self.panes[: self._layout]

    # Panes

    def _pane(self, index: int, show: str) -> Pane:
        pane = Pane(index, show, self._shared, self)
        pane.activated.connect(lambda: self._activate(pane))
        pane.expanded.connect(lambda: self._expand(pane))
        plane = pane.plane
        plane.hovered.connect(self._hover)
        plane.zoomed.connect(self.zoom)
        plane.panned.connect(self.pan)
        plane.reset.connect(self.reset_zoom)
        plane.turned.connect(self._repaint)
        plane.pressed.connect(lambda at: self.pencil.press(at, 1 / plane.projection.scale))
        plane.dragged.connect(self.pencil.drag)
        plane.released.connect(self.pencil.lift)
        return pane

    def _arrange(self) -> None:
        visible = self.visible_panes
        for pane in self.panes:
            self._grid.removeWidget(pane)
            pane.setVisible(pane in visible)
        for i, pane in enumerate(visible):
            self._grid.addWidget(pane, *divmod(i, 2))
        for k in range(2):
            self._grid.setColumnStretch(k, 1 if len(visible) > k else 0)
            self._grid.setRowStretch(k, 1 if len(visible) > 2 * k else 0)
        if self._active not in visible:
            self._activate(visible[0])
        self._want()

    def _expand(self, pane: Pane) -> None:
        self._active = pane
        self._expanded = not self._expanded
        self._arrange()
        self._activate(pane)

    def _activate(self, pane: Pane) -> None:
        self._active = pane
        self.setFocusProxy(pane.plane)
        for each in self.panes:
            each.set_active(each is pane, len(self.visible_panes) > 1)
        self.commands.sync()

    def _chosen(self) -> None:
        self.commands.sync()
        self._want()
        self._tell()
        self._repaint()

    # The view

    def zoom(self, factor: float, about: Point) -> None:
        """Makes the window larger by a factor, with a point of the plane left where it is."""

        left, right, _, _ = window = self._shared.window
        if _NARROWEST < (right - left) * factor < _WIDEST:
            self.show_rectangle(zoomed(window, factor, about))

    def pan(self, dx: float, dy: float) -> None:
        """Moves the window by a vector of the plane."""

        self.show_rectangle(moved(self._shared.window, dx, dy))

    def show_rectangle(self, window: Window) -> None:
        """Shows another part of the plane."""

        self._shared.window = window
        self._want()
        self._repaint()

    def _hover(self, at: Point | None) -> None:
        self._shared.hover = self.pencil.hover = at
        self._repaint()

    def _repaint_due(self, snapshot: Snapshot, before: Fields | None) -> None:
        """Repaints what the eye would miss: while a run goes on, fields without particles take turns.

        Painting holds up training, and a density that is renewed fifteen times a second looks alive enough.
        """

        self._turn += 1
        panes, edited = self.visible_panes, before is None or snapshot.recipe is not before.snapshot.recipe
        calm = snapshot.status == "running" and snapshot.stage is None and not edited and len(panes) > 1
        for i, pane in enumerate(panes):
            if not calm or pane.plane.lively or (i + self._turn) % 2:
                pane.plane.update()

    def _repaint(self) -> None:
        for pane in self.visible_panes:
            pane.plane.update()

    def _want(self) -> None:
        if not self._asking.isActive():
            self._asking.start()

    def _ask(self) -> None:
        if (lens := wanted(self.visible_panes)) != self._lens:
            self._lens = lens
            self.lens_changed.emit(lens)

    def _tell(self) -> None:
        """Writes the figures of the headers, twice a second at the most."""

        fields = self._shared.fields
        for pane in self.visible_panes:
            text = ""
            if fields is not None and pane.kind == "difference" and fields.snapshot.figures is not None:
                kl = fields.snapshot.figures.kl
                text = "" if kl is None else self.tr("KL {}").format(number(kl))
            pane.set_figure(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._want()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Down: (0, -1),
            Qt.Key.Key_Up: (0, 1),
        }
        left, right, bottom, top = self._shared.window
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.pencil.remove():
            return
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(1.25 if key == Qt.Key.Key_Minus else 0.8, ((left + right) / 2, (bottom + top) / 2))
        elif key in steps:
            dx, dy = ((right - left) / 50 * step for step in steps[key])
            if not self.pencil.nudge(dx, dy):
                self.pan(3 * dx, 3 * dy)
        else:
            super().keyPressEvent(event)

    def _dress(self) -> None:
        self._grid.setSpacing(theme.current().px(8))
        self._repaint()
