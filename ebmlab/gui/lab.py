from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from ebmlab.engine.targets import Target
from ebmlab.gui import theme
from ebmlab.gui.bridge import Bridge
from ebmlab.gui.document import Document
from ebmlab.gui.facts import facts
from ebmlab.gui.filing import Filing
from ebmlab.gui.pages import Pages
from ebmlab.gui.panels.guide import Guide
from ebmlab.gui.panels.recipe import RecipePanel
from ebmlab.gui.panels.strip import Strip
from ebmlab.gui.panels.timeline import Timeline
from ebmlab.gui.sessions import Sessions
from ebmlab.gui.shelf import Shelf
from ebmlab.gui.steering import Steering
from ebmlab.gui.takeout import Takeout
from ebmlab.gui.travel import Travel
from ebmlab.gui.views.base import View
from ebmlab.gui.views.canvas import Canvas
from ebmlab.gui.views.past import PastFrame
from ebmlab.session.orders import Edit, Look, Restore
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.runner import Runner
from ebmlab.session.snapshot import Lens, Snapshot

if TYPE_CHECKING:
    from ebmlab.gui.views.charts import Charts
    from ebmlab.gui.window import LabWindow
    from ebmlab.session.gallery import Exhibit

LATER = ("panel", "charts")
"""What is made after the first landscape."""
PATIENCE = 5000
"""Milliseconds after which it is made all the same, in a window that nobody sees."""


class Lab(QObject):
    """What the window holds once torch is there: the document, the run, and the views of it.

    An edit goes from a form or the canvas into the document, from there to the runner; a snapshot comes back through
    the bridge and is handed to every view. Charts and panel are made when first asked for, at the latest after the
    first landscape, so as not to keep that waiting.

    Signals:
        completed: Everything has been furnished.
        closing: The window is about to close.
    """

    completed = Signal()
    closing = Signal()

    def __init__(self, window: LabWindow, recipe: Recipe | None = None, device: str = "auto") -> None:
        super().__init__(window)
        self.window, self._device = window, device
        self.document = Document(recipe, self)
        self.bridge = Bridge(Runner(self.document.recipe, device), self)
        self.bridge.start()  # it makes its session while the views are made
        self.snapshot: Snapshot | None = None
        self._lens = Lens()
        self._drawing = self._complete = self._sandwich = self._taking_over = False
        self._refusal = ""
        self.canvas, self.strip, self.timeline = Canvas(), Strip(), Timeline(window.actions_)
        self.sessions = Sessions(self)
        self.filing = Filing(window, self.document, self.canvas.grab, self.sessions)
        self.steering = Steering(self.bridge, window.actions_, window.transport, window)
        self.travel = Travel(self.bridge, window.actions_, self.timeline, self.document)
        self.shelf = Shelf(window, self.document, lambda: self.panel)
        self._later = QTimer(self, interval=PATIENCE)
        self._later.timeout.connect(self._furnish_on)
        self._later.start()
        self._place()
        self._connect()
        self._fill_menus()
        self.takeout = Takeout(self)
        self._look()
        self.canvas.setFocus()

    def _place(self) -> None:
        px = theme.current().px
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(px(8))
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.canvas)
        self.split.addWidget(QWidget())  # keeps the place of the charts
        self.split.setStretchFactor(0, 1)
        self.split.setSizes([px(740), px(330)])
        column = self.window.centre.layout()
        assert isinstance(column, QVBoxLayout)
        self.pages = Pages(self.split)
        column.addWidget(self.pages, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.strip)
        self.past = PastFrame(self.canvas, self.window.centre)

    @cached_property
    def panel(self) -> RecipePanel:
        """The forms of the recipe."""

        panel = RecipePanel(self.document.recipe)
        side = QVBoxLayout(self.window.side)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(panel)
        document, drawing = self.document, panel.drawing
        document.changed.connect(panel.show_recipe)
        panel.edited.connect(lambda recipe, label, path: document.set(recipe, label, path))
        panel.finished.connect(document.seal)
        panel.asked.connect(self.shelf.open_page)
        self.closing.connect(panel.close_down)
        drawing.tool_chosen.connect(self.canvas.set_tool)
        drawing.settings_changed.connect(self.canvas.set_settings)
        drawing.import_requested.connect(self.filing.ask_and_import)
        if self.snapshot is not None:
            panel.show_snapshot(self.snapshot)
        return panel

    def _make_gallery(self) -> QWidget:
        from ebmlab.gui.panels.gallery import GalleryPage  # here, since it reads every exhibit

        page = GalleryPage(self._device)
        page.opened.connect(self._open_exhibit)
        self.closing.connect(page.close_down)
        return page

    def _make_dimension(self) -> QWidget:
        from ebmlab.gui.panels.dimension import DimensionPage  # here, since it is seldom wanted

        page = DimensionPage()
        page.asked.connect(self.shelf.open_page)
        self.closing.connect(page.close_down)
        return page

    def _open_exhibit(self, exhibit: Exhibit, run: str) -> None:
        """Begins the recipe of an exhibit's run, and says where to look."""

        if not self.filing.may_leave():
            return
        self.sessions.begin(exhibit.courses[run].recipe)
        self.pages.go_home()
        self.steering.run(True)
        self.window.tell(f"{exhibit.title}. {exhibit.look}")

    @cached_property
    def charts(self) -> Charts:
        """The charts beside the canvas."""

        from ebmlab.gui.views.charts import Charts  # here, since pyqtgraph takes a third of a second

        charts = Charts()
        action = self.window.actions_["charts-panel"]
        self.split.replaceWidget(1, charts).deleteLater()
        charts.setVisible(action.isChecked())
        action.toggled.connect(lambda on: self.charts.setVisible(on))
        self._list_charts(charts)
        charts.sandwich_wanted.connect(self._want_sandwich)
        if self.snapshot is not None:
            charts.show_snapshot(self.snapshot)
        return charts

    def painted(self) -> None:
        """Called when the window has been repainted: after the first landscape there is time for the rest."""

        if not self._complete and self.window.frames.first_landscape_ms is not None:
            self._later.start(0)

    def _furnish_on(self) -> None:
        """Makes one of the missing parts a turn of the event loop."""

        self._later.setInterval(0)
        for name in LATER:
            if name not in self.__dict__:
                getattr(self, name)
                return
        self._later.stop()
        self._complete = True
        self.completed.emit()

    def _connect(self) -> None:
        document, actions = self.document, self.window.actions_
        self.pages.add(actions["gallery"], self._make_gallery)
        self.pages.add(actions["dimension"], self._make_dimension)
        document.changed.connect(self._changed)
        self.canvas.edited.connect(self._drawn)
        self.canvas.stroke_finished.connect(document.seal)
        self.canvas.refused.connect(self.window.say)
        self.canvas.lens_changed.connect(self._look)
        self.bridge.arrived.connect(self.show_snapshot)
        self.bridge.stopped.connect(self.window.say)
        self.bridge.mended.connect(self.window.unsay)
        actions["recipe-panel"].toggled.connect(self.window.side.setVisible)
        actions["guide"].triggered.connect(lambda _: Guide(actions, self.window).open())
        actions["copy-facts"].triggered.connect(lambda _: QGuiApplication.clipboard().setText(self._facts()))
        actions["about"].triggered.connect(lambda _: Guide(actions, self.window, about=self._facts()).open())

    def _fill_menus(self) -> None:
        menus, commands = self.window.menus, self.canvas.commands
        menus["shows"].addActions(commands.shows)
        menus["overlays"].addActions(commands.overlays)
        menus["panes"].addActions(commands.layouts)
        menus["view"].insertAction(self.window.actions_["theme"], commands.reset_zoom)

    def _list_charts(self, charts: Charts) -> None:
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.None_)
        for name, chart in charts.charts.items():
            action = QAction(chart.source.title, group, checkable=True, checked=name not in charts.hidden)
            action.setObjectName(f"show-chart-{name}")
            action.toggled.connect(lambda on, name=name: charts.choose(name, on))
            self.window.menus["charts"].addAction(action)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Hands a snapshot to every view."""

        self.snapshot = snapshot
        made_later = (self.__dict__[name] for name in LATER if name in self.__dict__)
        views: tuple[View, ...] = (self.canvas, self.strip, self.timeline, *made_later)
        for view in views:
            view.show_snapshot(snapshot)
        self.past.turn(snapshot.past)
        frames = self.window.frames
        training = snapshot.status == "running" and snapshot.step > 0  # the first step imports half of torch
        frames.arrived(snapshot.step, training, snapshot.energy is not None, snapshot.device)
        self.window.status.show_snapshot(snapshot, frames.per_second)
        if snapshot.refusal != self._refusal:
            self._refuse(snapshot.refusal)
        self.sessions.observe(snapshot)

    def close(self) -> None:
        """Ends the run and whatever else is under way, and waits for the threads."""

        self.closing.emit()
        self.bridge.close()
        self.sessions.close()

    def _facts(self) -> str:
        return facts(self.snapshot.device if self.snapshot else "–")

    def take_over(self, run: Run, path: Path | None) -> None:
        """Goes on with a run where it stood, as a document of its own."""

        self._taking_over = True
        self.document.new(run.recipe, path)
        self._taking_over = False
        self.bridge.post(Restore(run))

    def when_complete(self, then: Callable[[], None]) -> None:
        """Calls a function once everything has been furnished."""

        if self._complete:
            then()
        else:
            self.completed.connect(then, Qt.ConnectionType.SingleShotConnection)

    def _drawn(self, target: Target) -> None:
        self._drawing = True
        self.document.set(replace(self.document.recipe, target=target), self.tr("Draw"), "draw")
        self._drawing = False

    def _changed(self, recipe: Recipe) -> None:
        if not self._drawing:
            self.canvas.show_target(recipe.target)
        if not self._taking_over:
            self.bridge.post(Edit(recipe))

    def _refuse(self, refusal: str) -> None:
        """Says why an edit was not taken, until one is; the form keeps what was typed, the run what it had."""

        if refusal:
            self.window.say(refusal)
        else:
            self.window.unsay(self._refusal)
        self._refusal = refusal

    def _look(self, lens: Lens | None = None) -> None:
        """Asks for what the visible views need."""

        lens = replace(lens or self.canvas.lens, sandwich=self._sandwich)
        if lens != self._lens or self.snapshot is None:
            self._lens = lens
            self.bridge.post(Look(lens))

    def _want_sandwich(self, on: bool) -> None:
        self._sandwich = on
        self._look()
