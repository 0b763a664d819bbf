"""The shell of the lab: on the screen before torch has been imported, furnished afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSettings, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QSplitter, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.actions import Actions
from ebmlab.gui.frames import Frames
from ebmlab.gui.panels.error_bar import ErrorBar
from ebmlab.gui.panels.finder import Finder
from ebmlab.gui.panels.status import Status
from ebmlab.gui.panels.transport import Transport

if TYPE_CHECKING:
    from ebmlab.gui.lab import Lab
    from ebmlab.session.recipe import Recipe

SIDE = 280
SCALES = (0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
NEEDS_LAB = (
    "new open import save save-as film export-figure export-model undo redo paste copy-figure "
    "copy-python copy-command copy-recipe copy-link gallery dimension tried catalogue "
    "run step slow-motion slower faster drift reset play-back now compare name-moment fork "
    "recipe-panel charts-panel guide copy-facts about"
)


class LabWindow(QMainWindow):
    """Menus, toolbar, status and an empty frame; :meth:`furnish` brings the rest.

    Arguments:
        settings: Where geometry, theme and recent files are remembered; nowhere if None.

    Attributes:
        lab: What the window holds once it is furnished.
    """

    def __init__(self, settings: QSettings | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.lab: Lab | None = None
        self.frames = Frames()
        self.setObjectName("lab-window")
        self._dress_as_remembered()
        self.actions_ = Actions(self)
        self.menus = self.actions_.fill(self.menuBar())
        self.transport = Transport(self.actions_)
        self.addToolBar(self.transport)
        self.status = Status()
        self.setStatusBar(self.status)
        self.error_bar = ErrorBar()
        self._build_centre()
        self._connect()
        self.actions_.enable(NEEDS_LAB, False)
        self.setAcceptDrops(True)
        self.set_title("")
        self._restore()

    def _build_centre(self) -> None:
        self.side = QWidget()
        self.side.setProperty("surface", "panel")
        self._starting = QLabel(self.tr("starting…"))
        self._starting.setProperty("muted", True)
        self._starting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.shelf = QWidget()
        self.shelf.setProperty("surface", "panel")
        self.shelf.hide()
        self.centre = QWidget()
        self.centre.setProperty("surface", "background")
        column = QVBoxLayout(self.centre)
        margin = theme.current().px(10)
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(theme.current().px(8))
        column.addWidget(self.error_bar)
        column.addWidget(self._starting, 1)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(1)
        self.split.setChildrenCollapsible(False)
        for widget in (self.side, self.shelf, self.centre):
            self.split.addWidget(widget)
        self.split.setStretchFactor(2, 1)
        self.split.setSizes([theme.current().px(SIDE), 0, theme.current().px(1160)])
        self.side.setMinimumWidth(theme.current().px(SIDE))
        self.setCentralWidget(self.split)

    def _connect(self) -> None:
        slots = {
            "quit": lambda _: self.close(),
            "theme": lambda light: self.set_theme("light" if light else "dark"),
            "larger": lambda _: self.set_scale(_next(theme.current().scale, 1)),
            "smaller": lambda _: self.set_scale(_next(theme.current().scale, -1)),
            "normal": lambda _: self.set_scale(1.0),
            "full-screen": self.set_full_screen,
            "present": self.present,
            "find": lambda _: self._find(),
        }
        for name, slot in slots.items():
            self.actions_[name].triggered.connect(slot)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self).activated.connect(self._escape)

    def _find(self) -> None:
        canvas = () if self.lab is None else self.lab.canvas.commands
        Finder([*self.actions_, *canvas], self).open()

    def furnish(self, recipe: Recipe | None = None, device: str = "auto") -> Lab:
        """Starts the run and shows the canvas; imports torch if nobody has yet.

        Panel and charts come once the first landscape is on the screen, or once somebody asks the lab for them.
        """

        from ebmlab.gui.lab import Lab

        self._starting.hide()
        self.lab = Lab(self, recipe, device)
        self.lab.completed.connect(self.frames.begin)
        self.actions_.enable(NEEDS_LAB)
        self.lab.filing.describe()
        return self.lab

    def say(self, text: str, detail: str = "") -> None:
        """Says in the error bar what went wrong; whatever is on the screen stays."""

        self.error_bar.show_message(text, detail)

    def tell(self, text: str) -> None:
        """Says something that is no fault, in the same place."""

        self.error_bar.show_note(text)

    def unsay(self, text: str) -> None:
        """Takes a sentence out of the error bar that holds no more, unless another stands there by now."""

        if self.error_bar.text == text:
            self.error_bar.clear()

    def set_title(self, name: str, modified: bool = False) -> None:
        """Names the document in the title."""

        self.setWindowTitle("{}[*] — ebmlab".format(name or self.tr("untitled")))
        self.setWindowModified(modified)

    def set_theme(self, name: str) -> None:
        """Changes between ``dark`` and ``light``."""

        self._apply(replace(theme.current(), palette=theme.PALETTES[name]))

    def set_scale(self, scale: float) -> None:
        """Makes the whole interface larger or smaller."""

        self._apply(replace(theme.current(), scale=scale))

    def set_full_screen(self, on: bool) -> None:
        """Fills the screen, or goes back to a window."""

        self.actions_["full-screen"].setChecked(on)
        if on != self.isFullScreen():
            self.showFullScreen() if on else self.showNormal()

    def present(self, on: bool) -> None:
        """Shows canvas and charts alone, for an audience."""

        for widget in (self.menuBar(), self.transport, self.status):
            widget.setVisible(not on)
        self.side.setVisible(not on and self.actions_["recipe-panel"].isChecked())
        self.shelf.setVisible(not on and self.actions_["catalogue"].isChecked())
        self.actions_["present"].setChecked(on)
        self.set_full_screen(on)

    def _apply(self, wanted: theme.Theme) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if wanted != theme.current():
            theme.apply(app, wanted)
        self.side.setMinimumWidth(theme.current().px(SIDE))
        self.actions_["theme"].setChecked(not wanted.palette.dark)
        self._remember("theme", wanted.palette.name)
        self._remember("scale", wanted.scale)

    def _dress_as_remembered(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        palette = theme.PALETTES.get(str(self._recall("theme", "dark")), theme.DARK)
        try:
            scale = min(max(float(str(self._recall("scale", 1.0))), SCALES[0]), SCALES[-1])
        except ValueError:
            scale = 1.0
        wanted = theme.Theme(palette=palette, scale=scale)
        if wanted != theme.current() or not app.styleSheet():  # dressing again costs as much as the first time
            theme.apply(app, wanted)

    def _restore(self) -> None:
        self.actions_["theme"].setChecked(not theme.current().palette.dark)
        self.resize(self._roomy())
        for name in ("recipe-panel", "charts-panel"):
            self.actions_[name].setChecked(True)
        geometry, split = self._recall("geometry"), self._recall("split")
        if geometry is not None:
            self.restoreGeometry(geometry)  # type: ignore[arg-type]
        if split is not None:
            self.split.restoreState(split)  # type: ignore[arg-type]

    def _roomy(self) -> QSize:
        """Returns the size of the first opening: what the layout was made for, if the screen has room for it."""

        if QGuiApplication.platformName() == "offscreen":  # its screen is nobody's
            return QSize(1440, 900)
        return QGuiApplication.primaryScreen().availableSize().boundedTo(QSize(1440, 900))

    def _remember(self, key: str, value: object) -> None:
        if self.settings is not None:
            self.settings.setValue(key, value)

    def _recall(self, key: str, default: object = None) -> object:
        return default if self.settings is None else self.settings.value(key, default)

    def _escape(self) -> None:
        if self.lab is not None and self.lab.travel.leave():
            return
        if self.actions_["present"].isChecked():
            self.present(False)
        elif self.isFullScreen():
            self.set_full_screen(False)
        elif self.lab is None or not (self.lab.pages.go_home() or self.lab.shelf.put_away()):
            self.error_bar.clear()

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        # The window's backing store is painted while this event is handled, whoever asked for it.
        if event.type() == QEvent.Type.UpdateRequest:
            self.frames.painted()
            if self.lab is not None:
                self.lab.painted()
        return done

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.frames.shown()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        data = event.mimeData()
        if self.lab is not None and (data.hasUrls() or data.hasText() or data.hasImage()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self.lab is not None:
            self.lab.filing.take(event.mimeData())
            event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.lab is not None and not self.lab.filing.may_leave():
            event.ignore()
            return
        self._remember("geometry", self.saveGeometry())
        self._remember("split", self.split.saveState())
        if self.lab is not None:
            self.hide()  # what is still to be written may take a while
            self.lab.close()
        super().closeEvent(event)


def _next(scale: float, by: int) -> float:
    """Returns the next scale up or down."""

    place = min(range(len(SCALES)), key=lambda i: abs(SCALES[i] - scale)) + by
    return SCALES[min(max(place, 0), len(SCALES) - 1)]
