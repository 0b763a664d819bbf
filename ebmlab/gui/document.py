"""The document: the recipe being edited, its file, and what can be undone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput

MOST = 1000
"""Edits that can be undone."""


class Edit(NamedTuple):
    """A recipe as it was or will be, and what led from the one to the other."""

    recipe: Recipe
    label: str


class Document(QObject):
    """Holds the recipe. Undo is a list of recipes; edits of one knob within one drag are undone together.

    Signals:
        changed: The recipe, whenever it is another: edited, undone, loaded.
        described: The file, the unsaved state, or what undo and redo would do, may be another.
    """

    changed = Signal(object)
    described = Signal()

    def __init__(self, recipe: Recipe | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recipe = self._saved = recipe or Recipe()
        self._past: list[Edit] = []
        self._future: list[Edit] = []
        self._key: str | None = None
        self._path: Path | None = None

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands."""

        return self._recipe

    @property
    def path(self) -> Path | None:
        """The file that it was read from or saved to."""

        return self._path

    @property
    def dirty(self) -> bool:
        """Whether it differs from its file, or from what it was at the start."""

        return self._recipe != self._saved

    @property
    def undo_label(self) -> str:
        """What would be undone; empty if nothing."""

        return self._past[-1].label if self._past else ""

    @property
    def redo_label(self) -> str:
        """What would be redone; empty if nothing."""

        return self._future[-1].label if self._future else ""

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def set(self, recipe: Recipe, label: str = "", merge_key: str | None = None) -> None:
        """Makes an edit.

        Arguments:
            recipe: What it leads to.
            label: What undo shall call it.
            merge_key: Successive edits with the same key are undone together, until :meth:`seal`.
        """

        if recipe == self._recipe:
            return
        if not (merge_key and merge_key == self._key and self._past):
            self._past.append(Edit(self._recipe, label))
            del self._past[:-MOST]
        self._future.clear()
        self._key = merge_key or None
        self._show(recipe)

    def seal(self) -> None:
        """Ends a drag: what follows is undone by itself."""

        self._key = None

    def undo(self) -> None:
        """Goes back by one edit, if there is one."""

        self._step(self._past, self._future)

    def redo(self) -> None:
        """Goes forward by one edit, if there is one."""

        self._step(self._future, self._past)

    def new(self, recipe: Recipe | None = None, path: Path | None = None) -> None:
        """Begins another document."""

        self._past.clear()
        self._future.clear()
        self._key, self._path = None, path
        self._saved = recipe or Recipe()
        self._show(self._saved)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Reads a recipe file; the document stays as it was if it cannot be read.

        Raises:
            BadInput: If it cannot. The message names the file and the mend.
        """

        self.new(Recipe.load(path), Path(path))

    def save(self, path: str | os.PathLike[str] | None = None) -> None:
        """Writes the recipe to a file, its own if none is given.

        Raises:
            BadInput: If there is no file or it cannot be written.
        """

        target = Path(path) if path else self._path
        if target is None:
            raise BadInput("this recipe has no file yet; give it a name")
        try:
            self._recipe.save(target)
        except OSError as fault:
            message = f"{(fault.strerror or 'cannot be written').lower()}; choose another place"
            raise BadInput(message, source=str(target)) from None
        self._path, self._saved, self._key = target, self._recipe, None
        self.described.emit()

    def saved_to(self, path: Path, recipe: Recipe) -> None:
        """Takes note that a recipe, which need not be the latest any more, has been saved with its session."""

        self._path, self._saved, self._key = path, recipe, None
        self.described.emit()

    def _step(self, source: list[Edit], target: list[Edit]) -> None:
        if source:
            edit = source.pop()
            target.append(Edit(self._recipe, edit.label))
            self._key = None
            self._show(edit.recipe)

    def _show(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.changed.emit(recipe)
        self.described.emit()
