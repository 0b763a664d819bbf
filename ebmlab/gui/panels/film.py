from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ebmlab.engine.types import Window
from ebmlab.gui import theme
from ebmlab.gui.errands import ErrandBar
from ebmlab.gui.form import Form
from ebmlab.gui.panels.making import Kind, Shot, drawn, filmed, kinds, still
from ebmlab.gui.panels.preview import Preview
from ebmlab.gui.panels.saved import Saved, closing, size_of
from ebmlab.gui.panels.span import Span
from ebmlab.gui.panels.staging import SCREEN, Staging, Timing
from ebmlab.gui.widgets import Combo, set_flag
from ebmlab.paint.layout import LAYOUTS, Layout
from ebmlab.record.film import Made, Progress
from ebmlab.session.errand import Outcome
from ebmlab.session.reel import Reel
from ebmlab.session.run import Run

SIDE = 300


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What the window shows, for a film or a figure to show the same.

    Arguments:
        layout: The panes and charts, as the text of a layout.
        size: Width and height of canvas and charts, in pixels.
        window: The rectangle of the plane.
        theme: The name of the palette.
        step: The step that is looked at; None for the last.
    """

    layout: str
    size: tuple[int, int]
    window: Window
    theme: str
    step: int | None = None


class FilmDialog(QDialog):
    """Films a run, or saves a figure of one of its steps: what stands in it, how large, and where to.

    Arguments:
        screen: What the window shows.
        still: Whether it begins with the formats of figures.
    """

    def __init__(self, screen: Screen, parent: QWidget | None = None, *, still: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("film-dialog")
        self.setWindowTitle(self.tr("Film or figure"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._screen = screen
        self._run: Run | None = None
        self._reel: Reel | None = None
        self._closed, self._obstacle = False, ""
        self.formats = self._make_formats("png" if still else "mp4")
        self.layouts = self._make_layouts()
        self.staging = Form(Staging(layout=screen.layout, theme=screen.theme))
        self.timing = Form(Timing())
        self.preview, self.span, self.saved = Preview(), Span(), Saved()
        self.fault = QLabel(wordWrap=True)
        self.fault.setProperty("fault", True)
        self.fault.hide()
        self.errand: ErrandBar[Progress, Made] = ErrandBar()
        self.save = QPushButton(self.tr("Save…"))
        self.save.setProperty("primary", True)
        self.save.setToolTip(self.tr("Asks for a file, then makes it in the background"))
        self._lay_out()
        self._connect()
        self._show_format()

    def _make_formats(self, first: str) -> Combo:
        formats = Combo()
        formats.setObjectName("film-format")
        formats.setAccessibleName(self.tr("Format"))
        formats.setToolTip(self.tr("What kind of file it becomes"))
        for name, kind in kinds().items():
            formats.addItem(kind.title, name)
        formats.setCurrentIndex(formats.findData(first))
        return formats

    def _make_layouts(self) -> Combo:
        layouts = Combo()
        layouts.setAccessibleName(self.tr("Panes"))
        layouts.setToolTip(self.tr("Takes over the panes and charts on the screen, or some that have a name"))
        layouts.addItem(SCREEN, self._screen.layout)
        for name, text in LAYOUTS.items():
            layouts.addItem(name, text)
        return layouts

    def _lay_out(self) -> None:
        px = theme.current().px
        right = QVBoxLayout()
        right.addWidget(self.preview, 1)
        for widget in (self.span, self.fault, self.errand, self.saved):
            right.addWidget(widget)
        right.addLayout(closing(self, self.save))
        row = QHBoxLayout(self)
        row.addWidget(self._side())
        row.addLayout(right, 1)
        self.resize(QSize(px(980), px(600)).boundedTo(self.screen().availableSize()))

    def _side(self) -> QWidget:
        px = theme.current().px
        self.help = QLabel(wordWrap=True)
        self.help.setProperty("muted", True)
        top = QFormLayout()
        top.addRow(_muted(self.tr("format")), self.formats)
        top.addRow(self.help)
        top.addRow(_muted(self.tr("panes")), self.layouts)
        body = QFrame()
        body.setProperty("surface", "background")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, px(8), 0)
        column.setSpacing(px(6))
        column.addLayout(top)
        column.addWidget(self.staging)
        column.addWidget(self.timing)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setFixedWidth(px(SIDE))
        area.setWidget(body)
        return area

    def _connect(self) -> None:
        self.formats.activated.connect(lambda _: self._show_format())
        self.layouts.activated.connect(lambda place: self._take_layout(self.layouts.itemData(place)))
        self.staging.edited.connect(lambda _: self._show_preview())
        self.span.moved.connect(lambda _: self._show_preview())
        self.preview.refused.connect(self._refuse)
        self.save.clicked.connect(lambda _=False: self._ask_and_begin())
        self.errand.ended.connect(self._ended)

    def show_run(self, run: Run) -> None:
        """Takes the run that is filmed, as it was handed out."""

        if self._closed:
            return
        self._run, self._reel = run, Reel(run)
        self.span.show_steps(self._reel.steps, run.moments)
        if self._screen.step is not None:
            self.span.look_at(self._screen.step)
        self._show_format()

    @property
    def kind(self) -> Kind:
        """The format that is chosen."""

        return kinds()[self.formats.currentData()]

    @property
    def layout_(self) -> Layout:
        """What stands in the picture."""

        staging = self.staging.component
        assert isinstance(staging, Staging)
        return staging.staged(self._screen.size, self._screen.window)

    def reject(self) -> None:
        self.close_down()
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.close_down()
        super().closeEvent(event)

    def close_down(self) -> None:
        """Calls off whatever is under way."""

        self._closed = True
        self.errand.close_down()
        self.preview.close_down()

    def begin(self, path: str) -> None:
        """Makes the film or the figure."""

        if self._run is None:
            return
        run, shot, work = self._run, self._shot(), drawn if self.kind.still else filmed
        self.saved.clear()
        self.errand.begin(lambda: work(run, shot, path), self._read)
        self._show_save()

    def _read(self, progress: Progress) -> tuple[float, str]:
        return progress.share, self.tr("{} of {} pictures").format(f"{progress.done:,}", f"{progress.total:,}")

    def _shot(self) -> Shot:
        timing = self.timing.component
        assert isinstance(timing, Timing)
        first, last = self.span.range
        return Shot(
            layout=self.layout_,
            step=self.span.step,
            first=first,
            last=last,
            timing=timing,
        )

    def _show_format(self) -> None:
        still = self.kind.still
        self.timing.setVisible(not still)
        self.span.show_range(not still)
        self._show_obstacle()
        self._show_preview()

    def _show_obstacle(self) -> None:
        self._obstacle = self.kind.obstacle
        self.help.setText(self._obstacle or self.kind.help)
        set_flag(self.help, "fault", bool(self._obstacle))
        self._show_save()

    def _take_layout(self, text: str) -> None:
        staging = self.staging.component
        assert isinstance(staging, Staging)
        self.staging.set_component(replace(staging, layout=text))
        self._show_preview()

    def _show_preview(self) -> None:
        if (reel := self._reel) is None:
            return
        layout, step = self.layout_, self.span.step
        self.preview.ask(lambda: still(reel, step, layout))

    def _refuse(self, fault: str) -> None:
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))
        self._show_obstacle()

    def _show_save(self) -> None:
        good = self._run is not None and not self._obstacle and not self.errand.busy and not self.fault.text()
        self.save.setEnabled(good)

    def _ask_and_begin(self) -> None:
        if self._run is None:
            return
        recipe, ending = self._run.recipe, self.kind.ending
        name = f"{recipe.target.kind}-{recipe.estimator.kind}{ending}"
        pattern = self.tr("{} ({})").format(self.kind.title, f"*{ending}")
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Save as"), name, pattern)
        if path:
            self.begin(path if Path(path).suffix else f"{path}{ending}")

    def _ended(self, outcome: Outcome[Made]) -> None:
        self.errand.clear()
        if outcome.fault:
            self.saved.show_fault(outcome.fault)
        elif outcome.result is not None:
            path = str(outcome.result.path)
            self.saved.show_file(path, size_of(path))
        self._show_save()


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", True)
    label.setFixedWidth(theme.current().px(94))
    return label
