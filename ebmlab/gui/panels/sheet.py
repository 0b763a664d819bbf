from __future__ import annotations

import html
from collections.abc import Collection
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.about import INSIDE, described, follow, linked
from ebmlab.gui.equations import EquationView
from ebmlab.gui.labels import label
from ebmlab.spec import Component, Knob, Page, page
from ebmlab.spec.catalogue import note, written
from ebmlab.spec.component import is_part


class ComponentSheet(QScrollArea):
    """The page of a component: equations, what it estimates and what it cannot, papers, knobs.

    Signals:
        used: The family and the kind that shall go into the recipe.
        asked: The page of another component that a link leads to, as family/kind.
    """

    used = Signal(str, str)
    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page: Page | None = None
        self.setAccessibleName(self.tr("Page of the component"))
        self.title, self.name = _wrapped(heading=True), _wrapped(muted=True)
        self.use = QPushButton()
        self.use.setObjectName("use")
        self.use.clicked.connect(lambda _=False: self.used.emit(*self.shown.split("/")))
        self.card = QFrame()
        self.card.setProperty("well", True)
        self.equation = EquationView((), self.card)
        inner = QVBoxLayout(self.card)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.equation)
        self.text, self.knobs = _wrapped(), _wrapped()
        for rich in (self.text, self.knobs):
            rich.setTextFormat(Qt.TextFormat.RichText)
            rich.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
            rich.linkActivated.connect(lambda link: follow(link, self.asked))
        self._lay_out()
        theme.signals.changed.connect(self._refresh)

    def _lay_out(self) -> None:
        px = theme.current().px
        content = QWidget()
        content.setProperty("surface", "panel")
        self.setProperty("surface", "panel")
        top = QHBoxLayout()
        top.addWidget(self.name, 1)
        top.addWidget(self.use)
        column = QVBoxLayout(content)
        column.setContentsMargins(px(12), px(10), px(12), px(10))
        column.setSpacing(px(6))
        column.addWidget(self.title)
        column.addLayout(top)
        for widget in (self.card, self.text, self.knobs):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def shown(self) -> str:
        """The component on the page, as family/kind; empty if there is none."""

        return f"{self._page.family}/{self._page.kind}" if self._page else ""

    def show_component(self, cls: type[Component]) -> None:
        """Turns to the page of a component."""

        self._page = page(cls)
        self.equation.set_equations(self._page.equations)
        self._refresh()
        self.verticalScrollBar().setValue(0)

    def show_use(self, places: Collection[str], in_use: Collection[str]) -> None:
        """Shows whether the component can be put into the recipe.

        Arguments:
            places: The families that the recipe has one component of, or several.
            in_use: The components of which it can have but one and has this, as family/kind.
        """

        if self._page is None:
            return
        used, several = self.shown in in_use, self._page.family == "log-z"
        self.use.setVisible(self._page.family in places)
        self.use.setEnabled(not used)
        self.use.setText(self.tr("In use") if used else self.tr("Add it") if several else self.tr("Use it"))
        tip = (
            self.tr("Adds it to the recipe") if several else self.tr("Puts it into the recipe, in the place of another")
        )
        self.use.setToolTip(self.tr("The recipe has it") if used else tip)

    def _refresh(self) -> None:
        p = self._page
        if p is None:
            return
        palette = theme.current().palette
        self.title.setText(p.title)
        self.name.setText(f"{p.family} · {p.kind}")
        self.card.setVisible(bool(p.equations))
        self.text.setText(described(p, palette))
        self.text.setVisible(bool(p.text or p.references))
        self.knobs.setText(self._table(p, palette))

    def _table(self, p: Page, palette: theme.Palette) -> str:
        if not p.knobs:
            return f'<p style="color: {palette.muted}">{self.tr("It has no knobs.")}</p>'
        head = f"<tr><th align=left>{self.tr('Knob')}</th><th align=right>{self.tr('Default')}</th></tr>"
        rows = "".join(_row(name, default, k, palette) for name, default, k in p.knobs)
        return f'<table width="100%" cellspacing="0" cellpadding="2">{head}{rows}</table>'


def _row(name: str, default: Any, k: Knob, palette: theme.Palette) -> str:
    """Returns what the declaration of a knob says, as two rows of a table."""

    called = html.escape(label(name, k)) + ("" if k.live else " ↺")
    said = html.escape(k.help)
    facts = html.escape(note(k))
    muted = f'style="color: {palette.muted}"'
    return (
        f"<tr><td><b>{called}</b></td><td align=right>{_default(default, k, palette)}</td></tr>"
        f"<tr><td colspan=2>{said} <span {muted}>{facts}</span></td></tr>"
    )


def _default(default: Any, k: Knob, palette: theme.Palette) -> str:
    parts = default if isinstance(default, tuple) else (default,)
    if is_part(k, default) and parts and all(part.family for part in parts):
        return ", ".join(linked(f"{INSIDE}{part.family}/{part.kind}", part.kind, palette) for part in parts)
    return html.escape(written(k, default)) if default not in ("", ()) else "–"


def _wrapped(**properties: bool) -> QLabel:
    made = QLabel()
    made.setWordWrap(True)
    for name, on in properties.items():
        made.setProperty(name, on)
    return made
