"""What a component is: its equation, its caveat and its papers."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.equations import EquationView
from ebmlab.gui.tex import rich
from ebmlab.spec import Component, Page, page


class About(QWidget):
    """The page of a component: the equation, and below it, when asked for, the text and the links."""

    def __init__(self, parent: QWidget | None = None, *, equation: bool = False) -> None:
        super().__init__(parent)
        self._always, self._open = equation, False
        self._page: Page | None = None
        self._card = QFrame(self)
        self._card.setProperty("well", True)
        self.equation = EquationView((), self._card)
        inner = QVBoxLayout(self._card)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.equation)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.text.setProperty("muted", True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setOpenExternalLinks(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.current().px(2), 0, theme.current().px(2))
        column.setSpacing(theme.current().px(4))
        column.addWidget(self._card)
        column.addWidget(self.text)
        theme.signals.changed.connect(self._refresh)

    def show_component(self, component: Component) -> None:
        """Shows the page of a component."""

        self._page = page(component)
        self.equation.set_equations(self._page.equations)
        self._refresh()

    def open(self, on: bool) -> None:
        """Shows the text and the links, or hides them."""

        self._open = on
        self._refresh()

    def _refresh(self) -> None:
        if not self._page:
            return
        equations = bool(self._page.equations) and (self._always or self._open)
        self._card.setVisible(equations)
        self.text.setVisible(self._open)
        if self._open:
            self.text.setText(described(self._page, theme.current().palette))
        self.setVisible(equations or self._open)


def described(p: Page, palette: theme.Palette) -> str:
    """Returns the caveat and the papers of a page as rich text."""

    style = f'style="color: {palette.accent}; text-decoration: none"'
    papers = [
        f'<p><a {style} href="{html.escape(link)}">{html.escape(title)}</a></p>'
        if link
        else f"<p>{html.escape(title)}</p>"
        for title, link in p.references
    ]
    return (rich(p.text) if p.text else "") + "".join(papers)
