from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QWidget

from ebmlab.gui import theme
from ebmlab.gui.actions import Actions
from ebmlab.gui.views.rail import Rail
from ebmlab.gui.views.timeline import Scrubber
from ebmlab.paint.numbers import number
from ebmlab.session.snapshot import Snapshot
from ebmlab.session.trace import Series

PERIOD = 0.2
"""Seconds between two pictures of a timeline that only grows."""
LENGTHS = (5, 10, 20, 60)
"""Seconds that a whole run is played back in."""


class Timeline(QFrame):
    """One row below the canvas: the run from its first step to the present, to be shown as it was.

    Signals:
        sought: The step that shall be shown; None for the present.
        removed: The step whose name shall be taken away.
    """

    sought = Signal(object)
    removed = Signal(int)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self.setProperty("card", True)
        self.scrubber = Scrubber()
        self.scrubber.sought.connect(self.sought)
        self.scrubber.setToolTip(
            self.tr("Drag through the run · ← → kept steps · Ctrl ← → names · Home the first · End, Esc the present")
        )
        self._exact: Series | None = None
        self._due, self._drawn = 0.0, Rail()
        self.lengths = self._lengths()
        self.loop = QAction(self.tr("Again and again"), self, checkable=True)
        self._buttons = [self._button(actions[name]) for name in ("play-back", "now", "compare", "name-moment", "fork")]
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 1, 6, 1)
        row.setSpacing(2)
        row.addWidget(self._buttons[0])
        row.addWidget(self._speed())
        row.addWidget(self.scrubber, 1)
        for button in self._buttons[1:]:
            row.addWidget(button)
        theme.signals.changed.connect(self._dress)
        self._dress()

    @property
    def rail(self) -> Rail:
        """The steps of the run."""

        return self.scrubber.rail

    @property
    def length(self) -> int:
        """Seconds that a whole run is played back in."""

        chosen = self.lengths.checkedAction()
        assert chosen is not None
        return chosen.data()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Shows where in the run a snapshot is; a run that merely grows is not painted for each."""

        if not snapshot.past:
            self._exact = snapshot.exact
        rail = Rail(
            end=snapshot.end,
            kept=snapshot.kept,
            shown=snapshot.step if snapshot.past else None,
            pinned=snapshot.pinned.step if snapshot.pinned else None,
            moments=snapshot.moments,
            exact=self._exact,
        )
        grows = snapshot.status == "running" and _marks(rail) == _marks(self._drawn) and rail.end >= self._drawn.end
        if grows and monotonic() < self._due:
            return
        self._due, self._drawn = monotonic() + PERIOD, rail
        self.scrubber.say(self._where(rail), self._how(rail))
        self.scrubber.show_rail(rail)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.rail.moment(self.rail.here):
            self.removed.emit(self.rail.here)
        else:
            super().keyPressEvent(event)

    def _where(self, rail: Rail) -> str:
        if rail.shown is not None:
            return self.tr("step {} of {} · the past").format(f"{rail.shown:,}", f"{rail.end:,}")
        if not rail.end:
            return self.tr("the timeline fills as the run goes on")
        return self.tr("step {} · now").format(f"{rail.end:,}")

    def _how(self, rail: Rail) -> str:
        """Returns the exact figure of the step that is shown, and of the one that it is compared with."""

        here = rail.figure(rail.here)
        text = f"{here[0]} {number(here[1], 3)}" if here else ""
        if rail.pinned is None:
            return text
        there = rail.figure(rail.pinned)
        beside = self.tr("step {}").format(f"{rail.pinned:,}")
        return " · ".join(filter(None, (text, beside + (f": {there[0]} {number(there[1], 3)}" if there else ""))))

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"timeline-{action.objectName()}")
        button.setProperty("flat", True)
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(action.text().replace("&", ""))
        return button

    def _lengths(self) -> QActionGroup:
        group = QActionGroup(self)
        for seconds in LENGTHS:
            action = QAction(self.tr("The whole run in {} s").format(seconds), group, checkable=True)
            action.setData(seconds)
            action.setChecked(seconds == 20)
        return group

    def _speed(self) -> QToolButton:
        menu = QMenu(self)
        menu.addActions(self.lengths.actions())
        menu.addSeparator()
        menu.addAction(self.loop)
        self.speed = QToolButton()
        self.speed.setObjectName("timeline-speed")
        self.speed.setProperty("flat", True)
        self.speed.setMenu(menu)
        self.speed.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.speed.setToolTip(self.tr("How fast a run is played back, and whether again and again"))
        self.speed.setAccessibleName(self.tr("Speed of playing back"))
        self.lengths.triggered.connect(lambda _: self._tell_length())
        self._tell_length()
        return self.speed

    def _tell_length(self) -> None:
        self.speed.setText(self.tr("{} s").format(self.length))

    def _dress(self) -> None:
        look = theme.current()
        for button in self._buttons:
            button.setIconSize(QSize(look.px(16), look.px(16)))
        self.speed.setFont(look.font(11))


def _marks(rail: Rail) -> tuple[object, ...]:
    """Returns what is to be seen at once when it changes."""

    return rail.shown, rail.pinned, rail.moments
