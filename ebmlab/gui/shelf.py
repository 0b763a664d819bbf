from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QVBoxLayout

from ebmlab.gui import theme
from ebmlab.gui.document import Document
from ebmlab.gui.panels.recipe import RecipePanel

if TYPE_CHECKING:
    from ebmlab.gui.panels.catalogue import CataloguePanel
    from ebmlab.gui.window import LabWindow

WIDTH, LEAST = 360, 240
"""Width of the catalogue at scale 1, and what it is squeezed to before the form makes way."""


class Shelf(QObject):
    """Keeps the catalogue between the form and the canvas; it is made when it is first asked for.

    Arguments:
        window: Has the place and the action.
        document: Has the recipe that the catalogue is read beside.
        panel: Returns the forms through which components go into the recipe.
    """

    def __init__(self, window: LabWindow, document: Document, panel: Callable[[], RecipePanel]) -> None:
        super().__init__(window)
        self._window, self._document, self._panel = window, document, panel
        self._action = window.actions_["catalogue"]
        self._action.toggled.connect(self._turn)

    @cached_property
    def catalogue(self) -> CataloguePanel:
        """The panel."""

        from ebmlab.gui.panels.catalogue import CataloguePanel  # here, since it reads every page

        made = CataloguePanel(self._document.recipe)
        column = QVBoxLayout(self._window.shelf)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(made)
        made.used.connect(self._use)
        made.closed.connect(self.put_away)
        self._document.changed.connect(made.show_recipe)
        return made

    def open_page(self, name: str) -> None:
        """Opens the page of a component, given as family/kind."""

        self._action.setChecked(True)
        self.catalogue.open_page(name)

    def put_away(self) -> bool:
        """Puts the catalogue away, if it is open; returns whether it was."""

        was = self._action.isChecked()
        self._action.setChecked(False)
        return was

    def _turn(self, on: bool) -> None:
        window, catalogue = self._window, self.catalogue
        if on:
            self._make_room()
            catalogue.setFocus()
            return
        within = window.shelf.isAncestorOf(window.focusWidget() or window)
        window.shelf.hide()
        window.side.setVisible(window.actions_["recipe-panel"].isChecked())
        if within and window.lab is not None:
            window.lab.canvas.setFocus()

    def _make_room(self) -> None:
        """Takes the room from the canvas; in a small window from the form."""

        px, window = theme.current().px, self._window
        side, _, centre = window.split.sizes()
        room = side + centre - window.centre.minimumSizeHint().width()
        if room - side < px(LEAST):
            window.side.hide()
            side = 0
        width = max(min(px(WIDTH), room - side), px(LEAST))
        window.shelf.setMinimumWidth(px(LEAST))
        window.shelf.show()
        window.split.setSizes([side, width, window.split.width() - side - width])

    def _use(self, family: str, kind: str) -> None:
        if fault := self._panel().use(family, kind):
            self._window.say(fault)
