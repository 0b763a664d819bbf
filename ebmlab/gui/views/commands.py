from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from ebmlab.gui import theme
from ebmlab.gui.views.pane import Pane
from ebmlab.paint.overlays import OVERLAYS
from ebmlab.paint.shows import SHOWS
from ebmlab.paint.words import translate


class Host(Protocol):
    """What the commands act on."""

    @property
    def active_pane(self) -> Pane: ...

    @property
    def visible_panes(self) -> tuple[Pane, ...]: ...

    def set_layout(self, panes: int) -> None: ...

    def show_in_active(self, kind: str) -> None: ...

    def reset_zoom(self) -> None: ...


class Commands(QObject):
    """The canvas's actions, for its own keys and for the menus of whoever holds it.

    Attributes:
        shows: What the active pane shows, on the keys 1 to 9.
        overlays: What lies over the active pane.
        layouts: How many panes there are.
        reset_zoom: Goes back to the recipe's window.
    """

    def __init__(self, canvas: QWidget, host: Host) -> None:
        super().__init__(canvas)
        self._canvas, self._host = canvas, host
        self.shows = tuple(
            self._choice("show-" + kind, translate("Canvas", show.title), lambda _, k=kind: host.show_in_active(k))
            for kind, show in SHOWS.items()
        )
        for i, action in enumerate(self.shows):
            action.setShortcut(QKeySequence(str(i + 1)))
        self.overlays = tuple(
            self._choice(
                "overlay-" + name,
                translate("Canvas", overlay.title),
                lambda on, n=name: host.active_pane.set_overlay(n, on),
            )
            for name, overlay in OVERLAYS.items()
        )
        names = {1: self.tr("One pane"), 2: self.tr("Two panes"), 4: self.tr("Four panes")}
        self.layouts = tuple(
            self._choice(f"layout-{n}", name, lambda _, n=n: host.set_layout(n)) for n, name in names.items()
        )
        self.reset_zoom = self._choice("reset-zoom", self.tr("Reset zoom"), lambda _: host.reset_zoom())
        self.reset_zoom.setCheckable(False)
        self.reset_zoom.setShortcut(QKeySequence("Home"))
        for actions in (self.shows, self.layouts):
            group = QActionGroup(self)
            for action in actions:
                group.addAction(action)
        theme.signals.changed.connect(self._dress)
        self._dress()

    def __iter__(self) -> Iterator[QAction]:
        yield from (*self.shows, *self.overlays, *self.layouts, self.reset_zoom)

    def sync(self) -> None:
        """Ticks what holds of the active pane."""

        pane = self._host.active_pane
        for action in self.shows:
            action.setChecked(action.objectName() == "show-" + pane.kind)
        for action in self.overlays:
            action.setChecked(action.objectName().removeprefix("overlay-") in pane.overlays)
        for action in self.layouts:
            action.setChecked(action.objectName() == f"layout-{len(self._host.visible_panes)}")

    def _choice(self, name: str, text: str, triggered: Callable[..., None]) -> QAction:
        action = QAction(text, self)
        action.setObjectName(name)
        action.setCheckable(True)
        action.triggered.connect(triggered)
        self._canvas.addAction(action)
        return action

    def _dress(self) -> None:
        self.reset_zoom.setIcon(theme.icon("zoom-reset", theme.current().palette))
