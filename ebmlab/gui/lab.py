from __future__ import annotations

import platform
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import PySide6
import torch
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication
from PySide6.QtWidgets import QSplitter, QVBoxLayout

import ebmlab
from ebmlab.engine.targets import Target
from ebmlab.gui import theme
from ebmlab.gui.bridge import Bridge
from ebmlab.gui.document import Document
from ebmlab.gui.filing import Filing
from ebmlab.gui.panels.guide import Guide
from ebmlab.gui.panels.recipe import RecipePanel
from ebmlab.gui.panels.strip import Strip
from ebmlab.gui.steering import Steering
from ebmlab.gui.views.canvas import Canvas
from ebmlab.gui.views.charts import Charts
from ebmlab.session.orders import Edit, Look, Restore
from ebmlab.session.recipe import Recipe
from ebmlab.session.runner import Runner
from ebmlab.session.snapshot import Lens, Snapshot

if TYPE_CHECKING:
    from ebmlab.gui.window import LabWindow


class Lab(QObject):
    """What the window holds once torch is there: the document, the run, and the views of it.

    An edit goes from a form or the canvas into the document, from there to the runner; a snapshot comes back through
    the bridge and is handed to every view.
    """

    def __init__(self, window: LabWindow, recipe: Recipe | None = None, device: str = "auto") -> None:
        super().__init__(window)
        self.window = window
        self.document = Document(recipe, self)
        self.bridge = Bridge(Runner(self.document.recipe, device), self)
        self.canvas, self.charts, self.strip = Canvas(), Charts(), Strip()
        self.panel = RecipePanel(self.document.recipe)
        self.filing = Filing(window, self.document, self.canvas.grab)
        self.steering = Steering(self.bridge, window.actions_, window.transport, window)
        self.snapshot: Snapshot | None = None
        self._lens = Lens()
        self._drawing = False
        self._refusal = ""
        self._place()
        self._connect()
        self._fill_menus()

    def _place(self) -> None:
        window = self.window
        side = QVBoxLayout(window.side)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(self.panel)
        self.panel.hide()  # until the first landscape: typesetting its equations would keep that waiting
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(theme.current().px(8))
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.canvas)
        self.split.addWidget(self.charts)
        self.split.setStretchFactor(0, 1)
        self.split.setSizes([theme.current().px(740), theme.current().px(330)])
        column = window.centre.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(self.split, 1)
        column.addWidget(self.strip)

    def _connect(self) -> None:
        document, drawing, actions = self.document, self.panel.drawing, self.window.actions_
        document.changed.connect(self._changed)
        self.panel.edited.connect(lambda recipe, label, path: document.set(recipe, label, path))
        self.panel.finished.connect(document.seal)
        drawing.tool_chosen.connect(self.canvas.set_tool)
        drawing.settings_changed.connect(self.canvas.set_settings)
        drawing.import_requested.connect(self.filing.ask_and_import)
        self.filing.restored.connect(lambda run: self.bridge.post(Restore(run)))
        self.canvas.edited.connect(self._drawn)
        self.canvas.stroke_finished.connect(document.seal)
        self.canvas.refused.connect(self.window.say)
        self.canvas.lens_changed.connect(self._look)
        self.charts.chosen.connect(lambda *_: self._look())
        self.bridge.arrived.connect(self.show_snapshot)
        self.bridge.stopped.connect(self.window.say)
        actions["recipe-panel"].toggled.connect(self.window.side.setVisible)
        actions["charts-panel"].toggled.connect(self._show_charts)
        actions["guide"].triggered.connect(lambda _: Guide(actions, self.window).open())
        actions["copy-facts"].triggered.connect(lambda _: QGuiApplication.clipboard().setText(self.facts()))
        actions["about"].triggered.connect(lambda _: Guide(actions, self.window, about=self.facts()).open())

    def _fill_menus(self) -> None:
        menus, commands = self.window.menus, self.canvas.commands
        menus["shows"].addActions(commands.shows)
        menus["overlays"].addActions(commands.overlays)
        menus["panes"].addActions(commands.layouts)
        menus["view"].insertAction(self.window.actions_["theme"], commands.reset_zoom)
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.None_)
        for name, chart in self.charts.charts.items():
            action = QAction(chart.source.title, group, checkable=True, checked=True)
            action.setObjectName(f"show-chart-{name}")
            action.toggled.connect(lambda on, name=name: self.charts.choose(name, on))
            menus["charts"].addAction(action)

    def start(self) -> None:
        """Starts the run, paused, and the looking."""

        self.bridge.start()
        self._look()
        self.canvas.setFocus()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Hands a snapshot to every view."""

        if self.snapshot is None:
            QTimer.singleShot(0, self.panel.show)
        self.snapshot = snapshot
        for view in (self.canvas, self.charts, self.strip, self.panel):
            view.show_snapshot(snapshot)
        frames = self.window.frames
        frames.arrived(snapshot.step, snapshot.status == "running", snapshot.energy is not None, snapshot.device)
        self.window.status.show_snapshot(snapshot, frames.per_second)
        if snapshot.refusal != self._refusal:
            self._refuse(snapshot.refusal)

    def facts(self) -> str:
        """Returns the versions and the device, for a bug report."""

        lines = {
            "ebmlab": ebmlab.__version__,
            "Python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "PySide6": PySide6.__version__,
            "system": platform.platform(),
            "device": self.snapshot.device if self.snapshot else "–",
            "screen": QGuiApplication.platformName(),
        }
        return "\n".join(f"{name} {value}" for name, value in lines.items())

    def close(self) -> None:
        """Ends the run and waits for its thread."""

        self.bridge.close()

    def _drawn(self, target: Target) -> None:
        self._drawing = True
        self.document.set(replace(self.document.recipe, target=target), self.tr("Draw"), "draw")
        self._drawing = False

    def _changed(self, recipe: Recipe) -> None:
        self.panel.show_recipe(recipe)
        if not self._drawing:
            self.canvas.show_target(recipe.target)
        self.bridge.post(Edit(recipe))

    def _refuse(self, refusal: str) -> None:
        """Says why an edit was not taken, until one is; the form keeps what was typed, the run what it had."""

        if refusal:
            self.window.say(refusal)
        elif self.window.error_bar.text == self._refusal:
            self.window.error_bar.clear()
        self._refusal = refusal

    def _show_charts(self, on: bool) -> None:
        self.charts.setVisible(on)
        self._look()

    def _look(self, lens: Lens | None = None) -> None:
        """Asks for what the visible views need."""

        lens = replace(lens or self.canvas.lens, figures=True)
        if lens != self._lens or self.snapshot is None:
            self._lens = lens
            self.bridge.post(Look(lens))
