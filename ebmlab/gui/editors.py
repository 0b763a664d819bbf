"""Editors of single knobs: a number, a switch, a choice, a text, a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.scales import read, scale, written
from ebmlab.gui.widgets import Combo, Field, IconButton, Slider, set_flag
from ebmlab.spec import Knob

Judge = Callable[[Any], str]
"""Says in one sentence why a value will not do; empty if it will."""


class Editor(QWidget):
    """Edits one value. It never holds a wrong one: what is wrong is marked, and not told.

    Signals:
        edited: The value as the user wants it to be.
        finished: The user let go: what follows is another edit, undone by itself.
        asked: The page of the catalogue that the user wants to see, as family/kind.
    """

    edited = Signal(object)
    finished = Signal()
    asked = Signal(str)

    def __init__(self, k: Knob, value: Any, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.knob, self.value, self.name = k, value, name
        self.judge: Judge = lambda _: ""
        self.setAccessibleName(name)

    def submit(self, value: Any) -> bool:
        """Tells the value if it will do, and returns whether it did."""

        fault = self.judge(value)
        self.show_fault(fault)
        if not fault and value != self.value:
            self.value = value
            self.edited.emit(value)
        return not fault

    def set_value(self, value: Any) -> None:
        """Shows a value that came from elsewhere; tells nobody."""

        if type(value) is not type(self.value) or value != self.value:
            self.value = value
            self.show_fault("")
            self.refresh()

    def refresh(self) -> None:
        """Shows the value held."""

        raise NotImplementedError

    def show_fault(self, fault: str) -> None:
        """Marks what is wrong; an empty sentence takes the mark away."""

        raise NotImplementedError


class NumberEditor(Editor):
    """A slider where the range allows one, and a field in which any allowed number may be typed.

    A knob that restarts the run is told when the slider is let go, not before.
    """

    def __init__(self, k: Knob, value: float, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self._whole = isinstance(value, int)
        self._scale = scale(k, self._whole)
        self.slider, self.field = Slider(self), number_field(name, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().px(8))
        row.addWidget(self.slider, 1)
        row.addWidget(self.field)
        self._prepare_slider()
        self.field.editingFinished.connect(self._typed)
        self.field.nudged.connect(self._nudge)
        self.field.reverted.connect(self._revert)
        self.refresh()

    def _prepare_slider(self) -> None:
        self.slider.setVisible(self._scale is not None)
        if not self._scale:
            return
        ticks = self._scale.ticks
        self.slider.setRange(0, ticks)
        self.slider.setSingleStep(max(1, ticks // 100))
        self.slider.setPageStep(max(1, ticks // 10))
        self.slider.setTracking(self.knob.live)
        self.slider.setAccessibleName(self.name)
        self.slider.valueChanged.connect(lambda place: self._slid(place, tell=True))
        self.slider.sliderMoved.connect(lambda place: self._slid(place, tell=self.knob.live))
        self.slider.sliderReleased.connect(self.finished)
        self.slider.left.connect(self.finished)

    def refresh(self) -> None:
        self.field.show_text(written(self.value))
        if self._scale:
            with QSignalBlocker(self.slider):
                self.slider.setValue(self._scale.place(self.value))

    def show_fault(self, fault: str) -> None:
        mark(self.field, fault, self.toolTip())

    def _slid(self, place: int, tell: bool) -> None:
        if self._scale:
            value = self._scale.value(place)
            self.field.show_text(written(value))
            if tell:
                self.submit(value)

    def _typed(self) -> None:
        if not self.field.isModified():
            return
        value = read(self.field.text())
        if isinstance(value, float) and self._whole and value.is_integer():
            value = int(value)
        if self.submit(float(value) if isinstance(value, int) and not self._whole else value):
            self.refresh()
            self.finished.emit()

    def _nudge(self, way: int) -> None:
        if self._scale:
            self.slider.setValue(self.slider.value() + way * self.slider.singleStep())

    def _revert(self) -> None:
        self.show_fault("")
        self.refresh()


class BoolEditor(Editor):
    """A box to tick."""

    def __init__(self, k: Knob, value: bool, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self.box = QCheckBox(self)
        self.box.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.box)
        self.box.toggled.connect(self._toggled)
        self.refresh()

    def _toggled(self, on: bool) -> None:
        self.submit(on)
        self.finished.emit()

    def refresh(self) -> None:
        with QSignalBlocker(self.box):
            self.box.setChecked(self.value)

    def show_fault(self, fault: str) -> None:
        self.box.setToolTip(fault or self.toolTip())


class ChoiceEditor(Editor):
    """One of a few words."""

    def __init__(self, k: Knob, value: str, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self.combo = Combo(self)
        self.combo.addItems(list(k.choices))
        self.combo.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.combo)
        self.combo.activated.connect(self._chosen)
        self.refresh()

    def _chosen(self, index: int) -> None:
        if not self.submit(self.combo.itemText(index)):
            self.refresh()
        self.finished.emit()

    def refresh(self) -> None:
        self.combo.setCurrentText(self.value)

    def show_fault(self, fault: str) -> None:
        self.combo.setToolTip(fault or self.toolTip())


class TextEditor(Editor):
    """A field for a formula or a name, with what is wrong written below it.

    It is judged at each key; a live knob follows when the typing rests, one that restarts the run when it ends.
    """

    def __init__(self, k: Knob, value: str, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self.field, self.fault = Field(self), QLabel(self)
        self.field.setAccessibleName(name)
        self.fault.setProperty("fault", True)
        self.fault.setWordWrap(True)
        self.fault.hide()
        self.row = QHBoxLayout()
        self.row.addWidget(self.field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(self.row)
        column.addWidget(self.fault)
        self._rest = QTimer(self, singleShot=True, interval=250)
        self._rest.timeout.connect(self._tell)
        self.field.textEdited.connect(self._typed)
        self.field.editingFinished.connect(self._ended)
        self.field.reverted.connect(self._revert)
        self.refresh()

    def refresh(self) -> None:
        self.field.show_text(self.value)

    def show_fault(self, fault: str) -> None:
        mark(self.field, fault, self.toolTip())
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))

    def _typed(self, text: str) -> None:
        fault = self.judge(text)
        self.show_fault(fault)
        if self.knob.live and not fault:
            self._rest.start()

    def _tell(self) -> None:
        self.submit(self.field.text())

    def _ended(self) -> None:
        self._rest.stop()
        if self.field.text() == self.value or self.submit(self.field.text()):
            self.finished.emit()

    def _revert(self) -> None:
        self._rest.stop()
        self.show_fault("")
        self.refresh()


class PathEditor(TextEditor):
    """The path of a file, typed or chosen."""

    def __init__(self, k: Knob, value: str, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self.choose: Callable[[], str] = self._ask
        self.button = IconButton("open", self.tr("Choose a file…"), self, flat=False)
        self.row.addWidget(self.button)
        self.button.clicked.connect(self._choose)

    def _ask(self) -> str:
        return QFileDialog.getOpenFileName(self, self.tr("Choose a file"), self.value)[0]

    def _choose(self) -> None:
        if path := self.choose():
            self.field.show_text(path)
            self.submit(path)
            self.finished.emit()


def number_field(name: str, parent: QWidget | None = None) -> Field:
    """Returns a narrow field for a number."""

    field = Field(parent)
    field.setFixedWidth(theme.current().px(58))
    field.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    field.setAccessibleName(name)
    return field


def mark(field: QWidget, fault: str, otherwise: str) -> None:
    """Gives a field a red border and the sentence as tool-tip, or takes them away."""

    set_flag(field, "fault", bool(fault))
    field.setToolTip(fault or otherwise)
