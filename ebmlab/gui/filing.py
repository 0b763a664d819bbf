from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox

from ebmlab.gui.document import Document
from ebmlab.gui.files import WEIGHTS, opened, pasted
from ebmlab.gui.sessions import Sessions, is_session
from ebmlab.session.files import PICTURES, POINTS
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.zipped import SUFFIX
from ebmlab.spec import BadInput

if TYPE_CHECKING:
    from ebmlab.gui.window import LabWindow

MOST_RECENT = 10


class Filing(QObject):
    """Opens, imports, saves, drops and pastes; what cannot be read becomes a sentence in the error bar.

    Arguments:
        window: The window that asks and is told.
        document: What is opened and saved.
        figure: What returns a picture of the canvas.
        sessions: What saves the run, and goes on from a saved one.
    """

    def __init__(
        self, window: LabWindow, document: Document, figure: Callable[[], QPixmap], sessions: Sessions
    ) -> None:
        super().__init__(window)
        self._window, self._document, self._sessions = window, document, sessions
        self.quiet = False  # leave without asking
        slots = {
            "new": self.begin,
            "open": self.ask_and_open,
            "import": self.ask_and_import,
            "save": self.save,
            "save-as": self.save_as,
            "paste": lambda: self.take(QGuiApplication.clipboard().mimeData()),
            "undo": document.undo,
            "redo": document.redo,
            "copy-figure": lambda: QGuiApplication.clipboard().setPixmap(figure()),
        }
        for name, slot in slots.items():
            window.actions_[name].triggered.connect(lambda _, slot=slot: slot())
        self._recent: QMenu = window.menus["recent"]
        self._recent.aboutToShow.connect(self._list_recent)
        document.described.connect(self.describe)
        sessions.changed.connect(self.describe)
        sessions.saved.connect(self._note)
        self.describe()

    def open(self, path: str) -> bool:
        """Opens a file; returns whether it could be read."""

        return self._attempt(lambda: self.open_or_raise(path))

    def open_or_raise(self, path: str) -> None:
        """Opens a file.

        Raises:
            BadInput: If it cannot be read.
        """

        recipe = self._document.recipe
        result = self._sessions.away(lambda: opened(path, recipe))
        if result.label:
            self._document.set(result.recipe, result.label)
        elif self.may_leave():
            self._sessions.adopt(result.run or Run(recipe=result.recipe), Path(path) if result.path else None)
        self._note(path)

    def take(self, data: QMimeData) -> bool:
        """Takes what was dropped or pasted; returns whether anything came of it."""

        files = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if files:
            return self.open(files[0])
        return self._attempt(lambda: self._paste(data))

    def begin(self) -> None:
        """Begins afresh with the default recipe."""

        if self.may_leave():
            self._sessions.begin(Recipe())

    def ask_and_open(self) -> None:
        """Asks for a file and opens it."""

        recipes = self.tr("Recipes, runs, weights, points and pictures ({})").format(
            _globs((".json", SUFFIX, WEIGHTS, *POINTS, *PICTURES))
        )
        self._ask(self.tr("Open"), recipes)

    def ask_and_import(self) -> None:
        """Asks for points or a picture and makes it the target."""

        self._ask(self.tr("Import target"), self.tr("Points and pictures ({})").format(_globs(POINTS + PICTURES)))

    def save(self) -> bool:
        """Saves to the document's file, or asks for one; returns whether it was saved, or is being saved."""

        path = self._document.path
        return self.save_as() if path is None else self._save_to(path)

    def save_as(self) -> bool:
        """Asks for a file and saves to it; returns whether it was saved, or is being saved."""

        recipe = self._document.recipe
        start = self._document.path or Path(f"{recipe.target.kind}-{recipe.estimator.kind}{SUFFIX}")
        session, plain = (
            self.tr("Session: recipe, run, timeline and view ({})").format(f"*{SUFFIX}"),
            self.tr("Recipe ({})").format("*.json"),
        )
        first, second = (plain, session) if start.suffix == ".json" else (session, plain)
        path, kind = QFileDialog.getSaveFileName(
            self._window, self.tr("Save"), str(Path(self._folder()) / start), f"{first};;{second}"
        )
        if path and Path(path).suffix not in (SUFFIX, ".json"):
            path += SUFFIX if kind == session else ".json"
        return bool(path) and self._save_to(Path(path))

    def _save_to(self, path: Path) -> bool:
        """Saves the session, or the recipe alone if the name ends in ``.json``."""

        if is_session(path):
            return self._attempt(lambda: self._sessions.save(path))
        if not self._attempt(lambda: self._document.save(path)):
            return False
        self._note(str(path))
        return True

    def may_leave(self) -> bool:
        """Asks what to do with unsaved changes; returns whether they may go."""

        unsaved = self._document.dirty or self._sessions.worth_asking
        if self.quiet or not unsaved or not self._window.isVisible():
            return True
        button = QMessageBox.StandardButton
        trained = self.tr("The run has gone on since it was saved.")
        text = self.tr("The recipe has changes that are not saved.") if self._document.dirty else trained
        answer = QMessageBox.question(
            self._window, self.tr("Unsaved changes"), text, button.Save | button.Discard | button.Cancel
        )
        return self.save() and self._sessions.wait() if answer == button.Save else answer == button.Discard

    def _paste(self, data: QMimeData) -> None:
        result = pasted(data, self._document.recipe)
        if result is None:
            raise BadInput("there is nothing to take; copy points, one a line, a picture, a recipe or a link")
        self._document.set(result.recipe, result.label)

    def _attempt(self, deed: Callable[[], None]) -> bool:
        try:
            deed()
        except BadInput as fault:
            self._window.say(str(fault))
            return False
        self._window.error_bar.clear()
        return True

    def _ask(self, title: str, kinds: str) -> None:
        path, _ = QFileDialog.getOpenFileName(self._window, title, self._folder(), kinds)
        if path:
            self.open(path)

    def _folder(self) -> str:
        recent = self._remembered()
        return str(Path(recent[0]).parent) if recent else ""

    def _remembered(self) -> list[str]:
        settings = self._window.settings
        found = [] if settings is None else settings.value("recent", [])
        return [found] if isinstance(found, str) else [str(path) for path in found or []]  # type: ignore[attr-defined]

    def _note(self, path: str) -> None:
        """Remembers a file among the recent ones."""

        path = str(Path(path).absolute())
        recent = [path, *(p for p in self._remembered() if p != path)]
        if self._window.settings is not None:
            self._window.settings.setValue("recent", recent[:MOST_RECENT])

    def _list_recent(self) -> None:
        self._recent.clear()
        for path in self._remembered():
            action = self._recent.addAction(Path(path).name)
            action.setToolTip(path)
            action.triggered.connect(lambda _=False, path=path: self.open(path))
        if self._recent.isEmpty():
            self._recent.addAction(self.tr("None yet")).setEnabled(False)

    def describe(self) -> None:
        """Says in title and menus which file it is, and what undo would do."""

        document, actions = self._document, self._window.actions_
        modified = document.dirty or self._sessions.trained
        self._window.set_title(document.path.name if document.path else "", modified)
        for name, possible, label, word in (
            ("undo", document.can_undo, document.undo_label, self.tr("&Undo")),
            ("redo", document.can_redo, document.redo_label, self.tr("&Redo")),
        ):
            actions[name].setEnabled(possible)
            actions[name].setText(f"{word} {label}".strip())
            actions[name].setIconText(word.replace("&", ""))


def _globs(endings: tuple[str, ...]) -> str:
    return " ".join(f"*{ending}" for ending in endings)
