"""What a component is: its equation, its caveat and its papers."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt, QUrl, Signal, SignalInstance
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.equations import EquationView
from ebmlab.gui.tex import rich
from ebmlab.spec import Component, Page, page

INSIDE = "catalogue:"
"""What the links begin with that lead to a page of the catalogue."""


class About(QWidget):
    """What a component is: the equation, and below it, when asked for, the text and the links.

    Signals:
        asked: The page of the catalogue that a link leads to, as family/kind.
    """

    asked = Signal(str)

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
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.text.linkActivated.connect(lambda link: follow(link, self.asked))
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
            self.text.setText(described(self._page, theme.current().palette) + self._further(self._page))
        self.setVisible(equations or self._open)

    def _further(self, p: Page) -> str:
        text = self.tr("Its page in the catalogue…")
        return f"<p>{linked(f'{INSIDE}{p.family}/{p.kind}', text, theme.current().palette)}</p>"


def described(p: Page, palette: theme.Palette) -> str:
    """Returns the caveat and the papers of a page as rich text."""

    papers = [f"<p>{linked(link, title, palette)}</p>" for title, link in p.references]
    return (rich(p.text) if p.text else "") + "".join(papers)


def linked(link: str, text: str, palette: theme.Palette) -> str:
    """Returns a text that leads to a link, or the mere text if there is none, as rich text."""

    style = f'style="color: {palette.accent}; text-decoration: none"'
    text = html.escape(text)
    return f'<a {style} href="{html.escape(link)}">{text}</a>' if link else text


def follow(link: str, asked: SignalInstance) -> None:
    """Asks for the page of the catalogue that a link leads to, or opens it in the browser."""

    if link.startswith(INSIDE):
        asked.emit(link.removeprefix(INSIDE))
    else:
        QDesktopServices.openUrl(QUrl(link))
