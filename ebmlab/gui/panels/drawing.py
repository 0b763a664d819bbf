"""Drawing tools, and pictures of ready targets to begin from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QHideEvent, QIcon, QImage, QPixmap, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ebmlab.engine.targets import TARGETS, Brush, Eraser, Spray, Stamp, Target
from ebmlab.engine.window import Lattice
from ebmlab.gui import theme
from ebmlab.gui.form import Form
from ebmlab.gui.widgets import IconButton
from ebmlab.session.files import Files
from ebmlab.spec import BadInput, Component, knobs, page

COLUMNS = 6
SIDE = 34
WINDOW = (-6.0, 6.0, -6.0, 6.0)

TOOLS: dict[str, tuple[Component, tuple[str, ...]]] = {
    "brush": (Brush(), ("radius", "strength")),
    "spray": (Spray(), ("radius", "strength")),
    "line": (Brush(), ("radius", "strength")),
    "eraser": (Eraser(), ("radius",)),
    "stamp": (Stamp(), ("weight",)),
}
"""Each tool with the mark it makes and the knobs of it that are set beforehand."""


class DrawingPanel(QWidget):
    """Chooses what the pen does on the canvas, and targets to begin from.

    Signals:
        tool_chosen: ``brush``, ``spray``, ``line``, ``eraser``, ``stamp``, or empty for none.
        settings_changed: Radius and strength of the tool; for a stamp, standard deviation and weight.
        import_requested: A file of points or a picture is wanted.
        target_chosen: A ready target.
    """

    tool_chosen = Signal(str)
    settings_changed = Signal(float, float)
    import_requested = Signal()
    target_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tool = ""
        self.buttons: dict[str, IconButton] = {}
        self.forms: dict[str, Form] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.current().px(6))
        self._column.addLayout(self._tools())
        for name, (mark, names) in TOOLS.items():
            form = Form(mark, self, names=names)
            form.setVisible(False)
            form.edited.connect(lambda _: self.settings_changed.emit(*self.settings()))
            self.forms[name] = form
            self._column.addWidget(form)
        self.ready = ReadyTargets(self)
        self.ready.chosen.connect(self.target_chosen)
        self._column.addWidget(self.ready)

    def _tools(self) -> QHBoxLayout:
        words = {
            "brush": self.tr("Brush: paint where the data shall be"),
            "spray": self.tr("Spray: scatter small spots"),
            "line": self.tr("Line: drag a straight stroke"),
            "eraser": self.tr("Eraser: take mass away"),
            "stamp": self.tr("Stamp: place a Gaussian, drag for its axis"),
        }
        row = QHBoxLayout()
        row.setSpacing(theme.current().px(6))
        for name, text in words.items():
            button = IconButton(name, text, self, size=18, flat=False)
            button.setCheckable(True)
            button.setObjectName(f"tool-{name}")
            button.clicked.connect(lambda on, name=name: self.choose(name if on else ""))
            self.buttons[name] = button
            row.addWidget(button)
        row.addStretch()
        self.importer = IconButton("import", self.tr("Import points or a picture…"), self, size=18, flat=False)
        self.importer.setObjectName("tool-import")
        self.importer.clicked.connect(self.import_requested)
        row.addWidget(self.importer)
        return row

    def choose(self, tool: str) -> None:
        """Takes up a tool; an empty name lays it down."""

        if tool == self.tool:
            return
        self.tool = tool
        for name, button in self.buttons.items():
            button.setChecked(name == tool)
            self.forms[name].setVisible(name == tool)
        self.tool_chosen.emit(tool)
        if tool:
            self.settings_changed.emit(*self.settings())

    def settings(self) -> tuple[float, float]:
        """Returns radius and strength of the tool in hand."""

        mark = self.forms[self.tool or "brush"].component
        if isinstance(mark, Stamp):
            return mark.sigmas[0], mark.weight
        return getattr(mark, "radius", 0.0), getattr(mark, "strength", 1.0)


class ReadyTargets(QWidget):
    """Small pictures of the targets that need nothing but a click; painted one by one once they are seen.

    Signals:
        chosen: The target.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.current().px(6))
        self.buttons: list[tuple[Target, QToolButton]] = []
        for i, target in enumerate(ready()):
            button = QToolButton(self)
            button.setObjectName(f"target-{target.kind}")
            button.setToolTip(page(target).title)
            button.setAccessibleName(page(target).title)
            button.setProperty("tile", True)
            button.setFixedSize(theme.current().px(SIDE), theme.current().px(SIDE))
            button.clicked.connect(lambda _=False, target=target: self.chosen.emit(target))
            self.buttons.append((target, button))
            grid.addWidget(button, i // COLUMNS, i % COLUMNS)
        self._queue = list(self.buttons)
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._paint_next)
        theme.signals.changed.connect(self._repaint)

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def _repaint(self) -> None:
        self._queue = list(self.buttons)
        self._timer.start()

    def _paint_next(self) -> None:
        if not self._queue:
            self._timer.stop()
            return
        target, button = self._queue.pop(0)
        look = theme.current()
        side = look.px(SIDE) - 4
        button.setIcon(QIcon(thumbnail(target, side, look.palette)))
        button.setIconSize(QSize(side, side))


def ready() -> Iterator[Target]:
    """Yields every target that its defaults say all of: no file, no drawing, no formula."""

    for cls in TARGETS.values():
        needs = any(k.bulk or k.path or (isinstance(d, str) and not k.choices) for _, d, k in knobs(cls))
        if not needs:
            yield cls()


def thumbnail(target: Target, side: int, palette: theme.Palette) -> QPixmap:
    """Returns a picture of a target's density, from the panel's colour to blue; empty if it has none."""

    lattice = Lattice(WINDOW, side, side)
    try:
        log_p = target.build(Files(), WINDOW).log_density(lattice.points())
    except BadInput:
        return QPixmap()
    density = torch.exp(log_p - log_p.max()).reshape(side, side).flip(0).numpy() ** 0.6
    colours = np.array([theme.mix(palette.blue, palette.panel, i / 255).rgb() for i in range(256)], dtype=np.uint32)
    pixels = colours[(255 * density).astype(np.uint8)]
    image = QImage(pixels.data, side, side, 4 * side, QImage.Format.Format_RGB32)
    return QPixmap.fromImage(image.copy())
