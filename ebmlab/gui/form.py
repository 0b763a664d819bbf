"""Forms made from the declarations: one for any component, nested where a knob holds another."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.about import About
from ebmlab.gui.editors import BoolEditor, ChoiceEditor, Editor, NumberEditor, PathEditor, TextEditor
from ebmlab.gui.header import Header
from ebmlab.gui.kinds import offer
from ebmlab.gui.labels import label, sentence, tip
from ebmlab.gui.tables import ArrayEditor, NamesEditor, lengthened
from ebmlab.gui.widgets import Combo, IconButton
from ebmlab.spec import FAMILIES, BadInput, Component, Knob, knobs
from ebmlab.spec.component import is_part

LABEL = 94
"""Width of the column of names, at scale 1."""

EQUATIONS = ("energy", "estimator")
"""Families whose equation stays in view; that of the others is an "i" away."""


class Form(QWidget):
    """Edits one component. The component is a value: the form never changes it, it tells another.

    Arguments:
        component: What to show first.
        names: The knobs to show, if not all; those edited on the canvas never are.
        headings: Parts get a bold title that folds them, and show their equation; for the sections of a panel.

    Signals:
        edited: The component as the user wants it to be.
        finished: The user let go of a knob.
        asked: The page of the catalogue that the user wants to see, as family/kind.
    """

    edited = Signal(object)
    finished = Signal()
    asked = Signal(str)

    def __init__(
        self,
        component: Component,
        parent: QWidget | None = None,
        *,
        names: Collection[str] | None = None,
        headings: bool = False,
    ) -> None:
        super().__init__(parent)
        self.component = self._next = component
        self.editors: dict[str, Editor] = {}
        self._headings = headings
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.current().px(6))
        self._grid.setVerticalSpacing(theme.current().px(3))
        self._grid.setColumnMinimumWidth(0, theme.current().px(LABEL))
        self._grid.setColumnStretch(1, 1)
        for name, default, k in knobs(component):
            if not k.bulk and (names is None or name in names):
                self._add(name, default, k)
        if names is None and (lengthened(component, 1) or lengthened(component, -1)):
            self._add_length()

    def _add(self, name: str, default: Any, k: Knob) -> None:
        editor = make_editor(k, default, getattr(self.component, name), label(name, k), heading=self._headings)
        editor.setObjectName(name)
        editor.setToolTip(tip(k))
        editor.show_fault("")
        editor.judge = lambda value: self._judge(name, value)
        editor.edited.connect(lambda _: self._tell())
        editor.finished.connect(self.finished)
        editor.asked.connect(self.asked)
        self.editors[name] = editor
        row = self._grid.rowCount()
        if is_part(k, default):
            self._grid.addWidget(editor, row, 0, 1, 2)
            return
        text = QLabel(f"{label(name, k)}{'' if k.live else ' ↺'}")
        text.setAccessibleName(text.text())
        text.setProperty("muted", True)
        text.setWordWrap(True)
        text.setToolTip(tip(k))
        text.setFixedWidth(theme.current().px(LABEL))
        tall = isinstance(editor, ArrayEditor | NamesEditor | TextEditor)
        text.setContentsMargins(0, theme.current().px(4) if tall else 0, 0, 0)
        if isinstance(editor, TextEditor) and not k.path:  # a formula needs the room
            self._grid.addWidget(text, row, 0)
            self._grid.addWidget(editor, row + 1, 0, 1, 2)
            return
        self._grid.addWidget(text, row, 0, Qt.AlignmentFlag.AlignTop if tall else Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(editor, row, 1)

    def _add_length(self) -> None:
        line = QHBoxLayout()
        for icon, by, text in (("remove", -1, self.tr("Remove the last entry")), ("add", 1, self.tr("Add an entry"))):
            button = IconButton(icon, text, self, flat=False)
            button.setObjectName(f"lengthen-{icon}")
            button.clicked.connect(lambda _=False, by=by: self._lengthen(by))
            line.addWidget(button)
        line.addStretch()
        self._grid.addLayout(line, self._grid.rowCount(), 1)

    def _lengthen(self, by: int) -> None:
        if (longer := lengthened(self.component, by)) is not None:
            self.set_component(longer)
            self.edited.emit(longer)
            self.finished.emit()

    def set_component(self, component: Component) -> None:
        """Shows another component of the same class; tells nobody."""

        self.component = component
        for name, editor in self.editors.items():
            editor.set_value(getattr(component, name))

    def _judge(self, name: str, value: Any) -> str:
        try:
            self._next = replace(self.component, **{name: value})
        except BadInput as fault:
            return sentence(fault if fault.key != name else BadInput(fault.message))
        return ""

    def _tell(self) -> None:
        self.component = self._next
        self.edited.emit(self.component)


class PartEditor(Editor):
    """Edits a component inside another: its kind, and below it the form of that kind.

    Each kind is remembered with its knobs, so that going back to one finds it as it was.

    Arguments:
        heading: A bold title that folds the form away, and the equation in view; for the sections of a panel.
    """

    def __init__(
        self, k: Knob, value: Component, name: str = "", parent: QWidget | None = None, *, heading: bool = False
    ) -> None:
        super().__init__(k, value, name, parent)
        self._kinds = {value.kind: value}
        self.about = About(self, equation=heading and k.family in EQUATIONS)
        self.body = QWidget(self)
        self.fault = QLabel(self.body)
        self.fault.setProperty("fault", True)
        self.fault.setWordWrap(True)
        self.extra, self.footer = QVBoxLayout(), QVBoxLayout()
        self.form: Form | None = None
        self._inner = QVBoxLayout(self.body)
        self._inner.setContentsMargins(0, 0, 0, 0)
        self._inner.setSpacing(theme.current().px(3))
        self._inner.addLayout(self.extra)
        self._inner.addWidget(self.about)
        self._inner.addWidget(self.fault)
        self._inner.addLayout(self.footer)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.current().px(3))
        self.header = Header(name, k.family, self.body if heading else None, self)
        self.header.chosen.connect(self.choose)
        self.header.info.toggled.connect(self.about.open)
        self.about.asked.connect(self.asked)
        self._column.addWidget(self.header)
        self._column.addWidget(self.body)
        self.show_fault("")
        self.refresh()

    def refresh(self) -> None:
        component = self.value
        self._kinds[component.kind] = component
        self.header.show_kind(component.kind)
        if self.form is not None and type(self.form.component) is type(component):
            self.form.set_component(component)
            return
        if self.form is not None:
            self.form.hide()
            self.form.deleteLater()
        self.form = Form(component)
        self.form.edited.connect(self.submit)
        self.form.finished.connect(self.finished)
        self.form.asked.connect(self.asked)
        self._inner.insertWidget(self._inner.count() - 1, self.form)
        self.about.show_component(component)

    def submit(self, value: Any) -> bool:
        if good := super().submit(value):
            self._kinds[value.kind] = value
        return good

    def choose(self, kind: str) -> None:
        """Puts another kind in, as it was last set; why it will not do is said below its name."""

        if kind != self.value.kind:
            self.submit(self._kinds.get(kind) or FAMILIES[self.knob.family][kind]())
            self.refresh()
            self.finished.emit()

    def show_fault(self, fault: str) -> None:
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))


class PartsEditor(Editor):
    """Edits several components of a family: each can be removed, and the last line adds one."""

    def __init__(self, k: Knob, value: tuple[Component, ...], name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(k, value, name, parent)
        self.parts: list[PartEditor] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.current().px(6))
        self.add = Combo(self)
        self.add.setObjectName("add")
        self.add.setAccessibleName(self.tr("Add to %1").replace("%1", name))
        self.add.addItem(self.tr("Add…"), "")
        offer(self.add, k.family)
        self.add.activated.connect(self._added)
        self._column.addWidget(self.add)
        self.refresh()

    def refresh(self) -> None:
        if len(self.parts) != len(self.value):
            self._rebuild()
        for part, component in zip(self.parts, self.value):
            part.set_value(component)

    def _rebuild(self) -> None:
        for part in self.parts:
            part.hide()
            part.deleteLater()
        self.parts = []
        for i, component in enumerate(self.value):
            part = PartEditor(self.knob, component, f"{i + 1}", self)
            part.setObjectName(f"{i}")
            part.header.title.hide()
            remove = IconButton("close", self.tr("Remove it"), part, size=12)
            remove.setObjectName("remove")
            remove.clicked.connect(lambda _=False, i=i: self._tell(self.value[:i] + self.value[i + 1 :]))
            part.header.add(remove)
            part.edited.connect(lambda c, i=i: self.submit((*self.value[:i], c, *self.value[i + 1 :])))
            part.finished.connect(self.finished)
            part.asked.connect(self.asked)
            self.parts.append(part)
            self._column.insertWidget(i, part)

    def _added(self, index: int) -> None:
        self.add.setCurrentIndex(0)
        if kind := self.add.itemData(index):
            self.append(kind)

    def append(self, kind: str) -> None:
        """Adds a component of a kind, with its defaults."""

        self._tell((*self.value, FAMILIES[self.knob.family][kind]()))

    def _tell(self, value: tuple[Component, ...]) -> None:
        if self.submit(value):
            self.refresh()
            self.finished.emit()

    def show_fault(self, fault: str) -> None:
        self.add.setToolTip(fault or self.toolTip())


def make_editor(k: Knob, default: Any, value: Any, name: str, *, heading: bool = False) -> Editor:
    """Returns the editor for a knob."""

    if is_part(k, default):
        several = isinstance(default, tuple)
        return PartsEditor(k, value, name) if several else PartEditor(k, value, name, heading=heading)
    if k.names:
        return NamesEditor(k, value, name)
    if isinstance(default, str):
        return (PathEditor if k.path else ChoiceEditor if k.choices else TextEditor)(k, value, name)
    if isinstance(default, tuple):
        return ArrayEditor(k, value, name)
    return BoolEditor(k, value, name) if isinstance(default, bool) else NumberEditor(k, value, name)
