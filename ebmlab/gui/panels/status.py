from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from ebmlab.gui import theme
from ebmlab.paint.numbers import number, with_error

if TYPE_CHECKING:
    from ebmlab.session.snapshot import Snapshot

PERIOD = 0.5
"""Seconds between two changes of the figures, so that they can be read."""


class Status(QStatusBar):
    """Device, speed, step and seed at the left; the exact figures at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._due = 0.0
        self._labels: dict[str, QLabel] = {}
        self.setSizeGripEnabled(False)
        for name, tip in (
            ("device", self.tr("What the training runs on")),
            ("speed", self.tr("Training steps per second")),
            ("frames", self.tr("Pictures painted per second")),
            ("step", self.tr("Training steps taken")),
            ("seed", self.tr("Seed of every random number")),
        ):
            self.addWidget(self._label(name, tip))
        for name, tip in (
            ("log-z", self.tr("log Z by quadrature, with its estimated error")),
            ("kl", self.tr("KL(p ‖ p_θ) by quadrature, in nats")),
        ):
            self.addPermanentWidget(self._label(name, tip))
        self.layout().setContentsMargins(8, 0, 8, 0)  # type: ignore[union-attr]
        theme.signals.changed.connect(self._dress)
        self._dress()

    def say(self, name: str, text: str) -> None:
        """Changes one of the texts."""

        label = self._labels[name]
        if label.text() != text:
            label.setText(text)

    def text(self, name: str) -> str:
        """Returns one of the texts."""

        return self._labels[name].text()

    def show_snapshot(self, snapshot: Snapshot, frames_per_second: float) -> None:
        """Shows a snapshot's figures, at most twice a second."""

        if monotonic() < self._due and not snapshot.past:
            return
        self._due = monotonic() + PERIOD
        self.say("device", snapshot.device)
        slow = snapshot.stage is not None and snapshot.stage.ways is not None
        speed = self.tr("{} steps/s").format(f"{snapshot.steps_per_second:,.0f}")
        self.say("speed", self.tr("the sampler, stage by stage") if slow else speed)
        self.say("frames", self.tr("{} frames/s").format(f"{frames_per_second:.0f}"))
        self.say("step", self.tr("step {}").format(f"{snapshot.end if snapshot.past else snapshot.step:,}"))
        self.say("seed", self.tr("seed {}").format(snapshot.recipe.seed))
        figures = snapshot.figures
        if figures is not None:
            exact = self.tr("log Z = {} exact").format(with_error(figures.log_z, figures.log_z_error))
            self.say("log-z", self.tr("no exact log Z") if figures.log_z is None else exact)
            self.say("kl", f"KL {number(figures.kl, 3)}")

    def _label(self, name: str, tip: str) -> QLabel:
        label = QLabel()
        label.setObjectName(f"status-{name}")
        label.setProperty("muted", True)
        label.setToolTip(tip)
        label.setContentsMargins(4, 0, 8, 0)
        self._labels[name] = label
        return label

    def _dress(self) -> None:
        for label in self._labels.values():
            label.setFont(theme.current().font(12))
