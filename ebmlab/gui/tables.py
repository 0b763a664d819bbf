"""Editors of several numbers at once: vectors, matrices, named parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.editors import Editor, mark, number_field
from ebmlab.gui.scales import read, written
from ebmlab.gui.widgets import Field, IconButton, Label
from ebmlab.spec import BadInput, Component, Knob, knobs

C = TypeVar("C", bound=Component)

MOST = 80
"""Numbers beyond which a table would be no help."""

Place = tuple[int, ...]


class ArrayEditor(Editor):
    """A small table of numbers: the last axis runs to the right, the others downwards."""

    def __init__(self, k: Knob, value: tuple[Any, ...], name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self._fields: dict[Place, Field] = {}
        self._faulty: Field | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.current().px(4))
        self._many = Label("", self, muted=True)
        self._grid.addWidget(self._many, 0, 0)
        self.refresh()

    def refresh(self) -> None:
        places = dict(leaves(self.value))
        self._many.setVisible(len(places) > MOST)
        self._many.show_text(self.tr("%1 numbers").replace("%1", str(len(places))))
        if len(places) > MOST:
            places = {}
        if places.keys() != self._fields.keys():
            self._rebuild(list(places))
        for place, number in places.items():
            self._fields[place].show_text(written(number))

    def _rebuild(self, places: list[Place]) -> None:
        for field in self._fields.values():
            field.hide()
            field.deleteLater()
        self._fields.clear()
        for i, place in enumerate(places):
            field = number_field(f"{self.name} {', '.join(str(p + 1) for p in place)}", self)
            field.setMinimumWidth(theme.current().px(30))
            field.setMaximumWidth(theme.current().px(80))
            field.editingFinished.connect(lambda place=place: self._typed(place))
            field.reverted.connect(self._revert)
            self._fields[place] = field
            row, column = (i // 4, i % 4) if len(place) == 1 else (self._row(place), place[-1])
            self._grid.addWidget(field, row, column, Qt.AlignmentFlag.AlignBottom)
            if len(place) > 2 and place[0] and place[-2] == 0:
                self._grid.setRowMinimumHeight(row, field.sizeHint().height() + theme.current().px(8))

    def _row(self, place: Place) -> int:
        return place[0] if len(place) == 2 else place[0] * len(self.value[0]) + place[1]

    def _typed(self, place: Place) -> None:
        field = self._fields[place]
        if not field.isModified():
            return
        self._faulty = field
        number = read(field.text())
        value = changed(self.value, place, number)
        if self.judge(value) and len(place) > 1:
            mirrored = changed(value, (*place[:-2], place[-1], place[-2]), number)
            value = mirrored if mirrored != self.value and not self.judge(mirrored) else value
        if self.submit(value):
            self.refresh()
            self.finished.emit()

    def _revert(self) -> None:
        self.show_fault("")
        self.refresh()

    def show_fault(self, fault: str) -> None:
        for field in self._fields.values():
            mark(field, fault if field is self._faulty else "", self.toolTip())


class NamesEditor(Editor):
    """Names with a number each; the last line adds one."""

    def __init__(self, k: Knob, value: tuple[Any, ...], name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self._rows: dict[str, tuple[QLabel, Field, IconButton]] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.current().px(4))
        column.addLayout(self._grid)
        self.new = Field(self)
        self.new.setPlaceholderText(self.tr("new name…"))
        self.new.setAccessibleName(self.tr("Name of a new parameter"))
        column.addWidget(self.new)
        self.new.editingFinished.connect(self._add)
        self.refresh()

    def refresh(self) -> None:
        pairs = dict(self.value)
        if list(pairs) != list(self._rows):
            self._rebuild(list(pairs))
        for name, number in pairs.items():
            self._rows[name][1].show_text(written(number))

    def _rebuild(self, names: list[str]) -> None:
        for widgets in self._rows.values():
            for widget in widgets:
                widget.hide()
                widget.deleteLater()
        self._rows.clear()
        for row, name in enumerate(names):
            field = number_field(name, self)
            remove = IconButton("close", self.tr("Remove %1").replace("%1", name), self, size=12)
            label = QLabel(name, self)
            field.editingFinished.connect(lambda name=name: self._typed(name))
            field.reverted.connect(self.refresh)
            remove.clicked.connect(lambda _=False, name=name: self._tell(name, None))
            self._rows[name] = label, field, remove
            for column in range(3):
                self._grid.addWidget(self._rows[name][column], row, column)
        self._grid.setColumnStretch(0, 1)

    def _typed(self, name: str) -> None:
        field = self._rows[name][1]
        if field.isModified():
            self._tell(name, read(field.text()))

    def _add(self) -> None:
        if name := self.new.text().strip():
            self._tell(name, dict(self.value).get(name, 1.0))
            if name in dict(self.value):
                self.new.clear()

    def _tell(self, name: str, number: float | str | None) -> None:
        pairs = dict(self.value)
        if number is None:
            pairs.pop(name)
        else:
            pairs[name] = float(number) if isinstance(number, int) else number
        if self.submit(tuple(sorted(pairs.items()))):
            self.refresh()
            self.finished.emit()

    def show_fault(self, fault: str) -> None:
        mark(self.new, fault, self.toolTip())
        for _, field, _ in self._rows.values():
            mark(field, fault if field.isModified() else "", self.toolTip())


def lengthened(component: C, by: int) -> C | None:
    """Returns a component with one entry more, or less, in all its lists at once; None where that makes no sense.

    A mixture has as many weights as means: neither can grow alone.
    """

    lists = {name: getattr(component, name) for name, _, k in knobs(component) if k.shape[:1] == (-1,) and not k.bulk}
    if len(lists) < 2 or len({len(value) for value in lists.values()}) > 1:
        return None
    longer = {name: (*v, *v[-1:]) if by > 0 else v[:-1] for name, v in lists.items()}
    try:
        return replace(component, **longer)
    except (BadInput, IndexError):
        return None


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, float]]:
    """Yields every number of nested tuples with its place."""

    if not isinstance(value, tuple):
        yield place, value
        return
    for i, each in enumerate(value):
        yield from leaves(each, (*place, i))


def changed(value: Any, place: Place, number: Any) -> Any:
    """Returns nested tuples with one number replaced."""

    if not place:
        return float(number) if isinstance(number, int) else number
    i, *rest = place
    return tuple(changed(v, tuple(rest), number) if j == i else v for j, v in enumerate(value))
