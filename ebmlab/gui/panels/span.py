from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from ebmlab.gui.widgets import Combo, Slider
from ebmlab.session.timeline import Moment


class Span(QWidget):
    """Chooses a step of a run's timeline, and from which to which step a film goes.

    Signals:
        moved: The step that is looked at.
    """

    moved = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: tuple[int, ...] = (0,)
        self.slider = Slider()
        self.slider.setAccessibleName(self.tr("Step"))
        self.slider.setToolTip(self.tr("The step that the preview shows (arrow keys)"))
        self.slider.valueChanged.connect(lambda _: self._move())
        self._told = QLabel()
        self.moments = Combo()
        self.moments.setAccessibleName(self.tr("Moments"))
        self.moments.setToolTip(self.tr("Goes to a step that has a name"))
        self.moments.activated.connect(lambda place: self._jump(self.moments.itemData(place)))
        self.first, self.last = self._spin(self.tr("From"), 0), self._spin(self.tr("To"), 0)
        self.begin = self._button(self.tr("Begin here"), self.tr("The film begins at the step that is shown"))
        self.end = self._button(self.tr("End here"), self.tr("The film ends at the step that is shown"))
        self.begin.clicked.connect(lambda _=False: self.first.setValue(self.step))
        self.end.clicked.connect(lambda _=False: self.last.setValue(self.step))
        self._lay_out()

    def _lay_out(self) -> None:
        top, self._row = QHBoxLayout(), QWidget()
        top.addWidget(self.slider, 1)
        top.addWidget(self._told)
        low = QHBoxLayout(self._row)
        low.setContentsMargins(0, 0, 0, 0)
        low.addWidget(self.moments, 3)
        for widget in (self.begin, self.end, QLabel(self.tr("From")), self.first, QLabel(self.tr("to")), self.last):
            low.addWidget(widget)
        low.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addWidget(self._row)

    def _spin(self, name: str, value: int) -> QSpinBox:
        made = QSpinBox(value=value)
        made.setKeyboardTracking(False)
        made.setGroupSeparatorShown(True)
        made.setAccessibleName(name)
        made.setToolTip(self.tr("{} this training step").format(name))
        return made

    def _button(self, text: str, tip: str) -> QPushButton:
        made = QPushButton(text)
        made.setToolTip(tip)
        return made

    def show_steps(self, steps: Sequence[int], moments: Sequence[Moment]) -> None:
        """Takes over the steps of a run and the names that some of them have; the film is of them all."""

        self._steps = tuple(steps) or (0,)
        for spin in (self.first, self.last):
            spin.setRange(self._steps[0], self._steps[-1])
        self.first.setValue(self._steps[0])
        self.last.setValue(self._steps[-1])
        self.moments.clear()
        self.moments.addItem(self.tr("Go to a moment…"))
        for moment in moments:
            self.moments.addItem(f"{moment.name} · {moment.step:,}", moment.step)
        self.moments.setVisible(bool(moments))
        self.slider.setRange(0, len(self._steps) - 1)
        with QSignalBlocker(self.slider):
            self.slider.setValue(len(self._steps) - 1)
        self._move()

    def show_range(self, on: bool) -> None:
        """Offers from and to, or only the step."""

        for widget in (self.begin, self.end, *self._row.findChildren(QLabel), self.first, self.last):
            widget.setVisible(on)

    @property
    def step(self) -> int:
        """The step that is looked at."""

        return self._steps[self.slider.value()]

    @property
    def range(self) -> tuple[int, int]:
        """From which to which step the film goes."""

        first, last = self.first.value(), self.last.value()
        return min(first, last), max(first, last)

    def look_at(self, step: int) -> None:
        """Goes to the last step of the timeline up to one."""

        self.slider.setValue(max(bisect_right(self._steps, step) - 1, 0))

    def _jump(self, step: int | None) -> None:
        self.moments.setCurrentIndex(0)
        if step is not None:
            self.look_at(step)

    def _move(self) -> None:
        self._told.setText(self.tr("step {}").format(f"{self.step:,}"))
        self.moved.emit(self.step)
