from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from ebmlab.gui import theme
from ebmlab.gui.actions import COPIES
from ebmlab.paint.layout import Cell
from ebmlab.session.archive import load_run
from ebmlab.session.run import Run
from ebmlab.session.tried import Tried
from ebmlab.spec import BadInput

if TYPE_CHECKING:
    from ebmlab.gui.lab import Lab
    from ebmlab.gui.panels.film import Screen


class Takeout(QObject):
    """What leaves the lab, and what was tried in it: films, figures, the model, the set-up as text, the runs.

    Arguments:
        lab: Has the run and the document.
    """

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._lab = lab
        actions = lab.window.actions_
        for name in COPIES:
            actions[f"copy-{name}"].triggered.connect(lambda _, name=name: self.copy_as(name))
        actions["film"].triggered.connect(lambda _: self.film())
        actions["export-figure"].triggered.connect(lambda _: self.film(still=True))
        actions["export-model"].triggered.connect(lambda _: self.export())
        lab.pages.add(actions["tried"], self._make_tried)

    def film(self, *, still: bool = False) -> None:
        """Opens the dialog of films, or of figures."""

        from ebmlab.gui.panels.film import FilmDialog  # here, since it is seldom wanted

        dialog = FilmDialog(screen_of(self._lab), self._lab.window, still=still)
        self._lab.closing.connect(dialog.close_down)
        self._lab.bridge.ask(dialog.show_run)
        dialog.show()

    def export(self) -> None:
        """Opens the dialog that saves the trained energy for other programs."""

        from ebmlab.gui.panels.export import ExportDialog  # here, since it is seldom wanted

        dialog = ExportDialog(self._lab.window)
        self._lab.closing.connect(dialog.close_down)
        self._lab.bridge.ask(dialog.show_run)
        dialog.show()

    def copy_as(self, name: str) -> None:
        """Puts the recipe on the clipboard as ``python``, ``command``, ``recipe`` or ``link``."""

        from ebmlab.session.share import SHARES  # here, since it is seldom wanted

        recipe = self._lab.document.recipe
        self._attempt(lambda: QGuiApplication.clipboard().setText(SHARES[name](recipe)))

    def reopen(self, tried: Tried, own: bool) -> None:
        """Opens a run where it ended, or begins its recipe afresh if it is not kept any more.

        Arguments:
            tried: The run.
            own: Whether it is one of this lab, whose file may be one that the user has saved and will save to again.
        """

        lab = self._lab
        there = bool(tried.session) and Path(tried.session).exists()
        if there and own and Path(tried.session).parent != lab.sessions.keeper.folder:
            if lab.filing.open(tried.session):
                lab.pages.go_home()
        elif there:
            self._attempt(lambda: self._adopt(lab.sessions.away(lambda: load_run(tried.session))))
        elif self._adopt(Run(recipe=tried.recipe)):
            lab.window.tell(self.tr("The session of this run is not kept any more; its recipe begins afresh."))

    def _adopt(self, run: Run) -> bool:
        """Goes on with a run as a document without a file; returns whether the one under way may go."""

        if not self._lab.filing.may_leave():
            return False
        self._lab.sessions.adopt(run)
        self._lab.pages.go_home()
        return True

    def _make_tried(self) -> QWidget:
        from ebmlab.gui.panels.tried import TriedPage  # here, since it is seldom wanted

        keeper = self._lab.sessions.keeper
        page = TriedPage(keeper.rows)
        page.opened.connect(self.reopen)
        page.forgotten.connect(keeper.forget)
        page.failed.connect(self._lab.window.say)
        keeper.changed.connect(page.refresh)
        self._lab.bridge.arrived.connect(page.show_snapshot)
        self._lab.closing.connect(page.close_down)
        return page

    def _attempt(self, deed: Callable[[], object]) -> bool:
        try:
            deed()
        except BadInput as fault:
            self._lab.window.say(str(fault))
            return False
        return True


def screen_of(lab: Lab) -> Screen:
    """Returns what the window shows, for a film or a figure to show the same."""

    from ebmlab.gui.panels.film import Screen

    panes = [Cell(pane.kind, pane.plane.overlays).text for pane in lab.canvas.visible_panes]
    columns = [panes[::2], panes[1::2]]
    if lab.window.actions_["charts-panel"].isChecked():
        columns.append([name for name, chart in lab.charts.charts.items() if not chart.isHidden()])
    return Screen(
        layout="|".join(",".join(column) for column in columns if column),
        size=(lab.split.width(), lab.split.height()),
        window=lab.canvas.rectangle,
        theme=theme.current().palette.name,
        step=lab.snapshot.step if lab.snapshot is not None and lab.snapshot.past else None,
    )
