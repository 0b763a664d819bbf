from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QToolButton, QWidget

from ebmlab.engine.energies import EnergySpec, matched
from ebmlab.gui import theme
from ebmlab.gui.labels import sentence
from ebmlab.gui.widgets import Label
from ebmlab.session.errand import Errand
from ebmlab.spec import BadInput

LOOK = 30
"""Milliseconds between two looks whether the size has been found."""
MOST = 10_000_000


class Counted(NamedTuple):
    """A kind of energy, and how many parameters it was seen to have."""

    kind: str
    number: int


class Matcher(QWidget):
    """How many parameters the energy has, and a button that gives it as many as another.

    The size is searched in a thread, since many networks are built for it.

    Arguments:
        energy: The energy of the recipe.

    Signals:
        matched: The energy at the size that was found.
        refused: Why there is none, as a sentence.
    """

    matched = Signal(object)
    refused = Signal(str)

    def __init__(self, energy: EnergySpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._energy = energy
        self._now, self._before = Counted("", 0), Counted("", 0)
        self._errand: Errand[None, EnergySpec] | None = None
        self._asked_for = energy
        self._timer = QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)
        self.text = Label("", self, muted=True)
        self.button = QToolButton(self)
        self.button.setObjectName("match")
        self.button.setProperty("flat", True)
        self.button.setText(self.tr("Match…"))
        self.button.setAccessibleName(self.tr("Match the number of parameters"))
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.button)
        self.menu.aboutToShow.connect(self._offer)
        self.button.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().px(6))
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.show_energy(energy)

    @property
    def previous(self) -> Counted:
        """The kind of energy before the present one, as it was last seen; without a kind if there was none."""

        return self._now if self._now.kind != self._energy.kind else self._before

    def show_energy(self, energy: EnergySpec) -> None:
        """Shows whether the energy of the recipe has a size that can be matched."""

        self._energy = energy
        self.button.setEnabled(bool(energy.size))
        why = self.tr("This energy has no knob that its number of parameters grows with")
        tip = self.tr("Gives this energy as many parameters as another, so that they compare fairly")
        self.button.setToolTip(tip if energy.size else why)

    def show_count(self, energy: EnergySpec, count: int) -> None:
        """Shows how many parameters the energy of the run has."""

        if count and energy.kind != self._now.kind:
            self._before = self._now
        if count:
            self._now = Counted(energy.kind, count)
        text = self.tr("%1 parameters").replace("%1", f"{count:,}") if count else ""
        if text != self.text.accessibleName():
            self.text.show_text(text)

    def match(self, count: int) -> None:
        """Looks for the size at which the energy has about so many parameters."""

        self.close_down()
        energy = self._asked_for = self._energy
        self._errand = Errand(lambda: _search(energy, count))
        self._errand.start()
        self._timer.start()

    def close_down(self) -> None:
        """Calls the search off and waits for it, if there is one."""

        self._timer.stop()
        if self._errand is not None:
            self._errand.call_off()
            self._errand = None

    def _look(self) -> None:
        outcome = self._errand.outcome.take() if self._errand else None
        if outcome is None:
            return
        self.close_down()
        if self._energy != self._asked_for:  # it was edited meanwhile, and the edit stands
            return
        if outcome.fault:
            self.refused.emit(sentence(BadInput(outcome.fault)))
        else:
            self.matched.emit(outcome.result)

    def _offer(self) -> None:
        self.menu.clear()
        kind, count = self.previous
        if kind:
            text = self.tr("As many as %1 had: %2").replace("%1", kind).replace("%2", f"{count:,}")
            self.menu.addAction(text, lambda: self.match(count))
        self.menu.addAction(self.tr("Another number…"), self._ask)

    def _ask(self) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle(self.tr("Match"))
        dialog.setLabelText(self.tr("How many parameters shall the energy have?"))
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setIntRange(1, MOST)
        dialog.setIntValue(self.previous.number or self._now.number or 1000)
        dialog.intValueSelected.connect(self.match)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _search(energy: EnergySpec, count: int) -> Generator[None, None, EnergySpec]:
    yield  # so that it can be called off before it begins
    return matched(energy, count)
