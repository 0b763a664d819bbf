"""Everything that can be done by menu, key or palette, named once."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QKeyCombination, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from ebmlab.gui import theme

Keys = str | QKeySequence.StandardKey | Qt.Key | QKeyCombination | None

FILE = "new open recent: | import | save save-as | film export-figure export-model | quit"
RUN = "run step slow-motion | slower faster | drift | play-back now compare name-moment fork | reset"
COPIES = ("python", "command", "recipe", "link")
"""What a set-up can be copied as."""
_STANDARD = QKeySequence.StandardKey


class Actions(QObject):
    """The actions of the window by name; the window connects them.

    Each is known to Qt by its name, so that tests and other parts can find it.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._named: dict[str, QAction] = {}
        self._icons: dict[str, str] = {}
        self._menus: dict[str, QMenu] = {}
        self._file()
        self._edit()
        self._view()
        self._run()
        self._timeline()
        self._tools()
        self._arrange()
        self._help()
        theme.signals.changed.connect(self.dress)
        self.dress()

    def __getitem__(self, name: str) -> QAction:
        return self._named[name]

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._named.values())

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Makes the menus; returns them by name."""

        for name, title, entries in self._layout():
            menu = bar.addMenu(title)
            menu.setObjectName(f"menu-{name}")
            menu.setToolTipsVisible(True)
            self._menus[name] = menu
            for entry in entries.split():
                if entry == "|":
                    menu.addSeparator()
                elif entry.endswith(":"):
                    self._menus[entry[:-1]] = menu.addMenu(self._submenus()[entry[:-1]])
                    self._menus[entry[:-1]].setToolTipsVisible(True)
                else:
                    menu.addAction(self._named[entry])
        self._menus["copies"].addActions([self._named[f"copy-{name}"] for name in COPIES])
        return self._menus

    def dress(self) -> None:
        """Draws the icons in the colours of the theme in use."""

        for name, icon in self._icons.items():
            self._named[name].setIcon(theme.icon(icon))

    def set_icon(self, name: str, icon: str) -> None:
        """Gives an action another icon."""

        self._icons[name] = icon
        self._named[name].setIcon(theme.icon(icon))

    def enable(self, names: str, on: bool = True) -> None:
        """Switches several actions on or off."""

        for name in names.split():
            self._named[name].setEnabled(on)

    def _add(self, name: str, text: str, tip: str, keys: Keys = None, icon: str = "", checkable: bool = False) -> None:
        action = QAction(text, self._window, checkable=checkable)
        action.setObjectName(name)
        if keys is not None:
            action.setShortcuts(QKeySequence.keyBindings(keys) if isinstance(keys, _STANDARD) else [QKeySequence(keys)])
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({shown})" if shown else tip)
        action.setStatusTip("")
        self._window.addAction(action)
        self._named[name] = action
        if icon:
            self._icons[name] = icon

    def _layout(self) -> tuple[tuple[str, str, str], ...]:
        return (
            ("file", self.tr("&File"), FILE),
            ("edit", self.tr("&Edit"), "undo redo | paste copy-figure copies:"),
            ("view", self.tr("&View"), "shows: overlays: panes: | theme larger smaller normal"),
            ("run", self.tr("&Run"), RUN),
            ("tools", self.tr("&Tools"), "gallery dimension tried catalogue"),
            ("window", self.tr("&Window"), "recipe-panel charts-panel charts: | full-screen present"),
            ("help", self.tr("&Help"), "guide catalogue find | copy-facts about"),
        )

    def _submenus(self) -> dict[str, str]:
        return {
            "recent": self.tr("Open &recent"),
            "copies": self.tr("Copy &as"),
            "shows": self.tr("&Active pane shows"),
            "overlays": self.tr("&Over it lie"),
            "panes": self.tr("&Panes"),
            "charts": self.tr("&Charts"),
        }

    def _file(self) -> None:
        self._add("new", self.tr("&New"), self.tr("Begin with the default recipe"), _STANDARD.New, "new")
        self._add(
            "open", self.tr("&Open…"), self.tr("Open a session, a recipe, points or a picture"), _STANDARD.Open, "open"
        )
        tip = self.tr("Take points or a picture as the target")
        self._add("import", self.tr("&Import target…"), tip, "Ctrl+I", "import")
        tip = self.tr("Save the session with all that belongs to it; of a recipe file the recipe alone")
        self._add("save", self.tr("&Save"), tip, _STANDARD.Save, "save")
        tip = self.tr("Save the session, or the recipe alone, under another name")
        self._add("save-as", self.tr("Save &as…"), tip, _STANDARD.SaveAs)
        tip = self.tr("Film any part of the run, with any panes and charts")
        self._add("film", self.tr("&Film…"), tip, "Ctrl+Shift+E")
        tip = self.tr("Save panes and charts as a picture, for print or for the screen, or their data")
        self._add("export-figure", self.tr("&Export figure…"), tip, "Ctrl+E", "export")
        tip = self.tr("Save the trained energy for other programs")
        self._add("export-model", self.tr("Export &model…"), tip, "Ctrl+Alt+E")
        self._add("quit", self.tr("&Quit"), self.tr("Close the lab"), _STANDARD.Quit)

    def _edit(self) -> None:
        self._add("undo", self.tr("&Undo"), self.tr("Take back the last change"), _STANDARD.Undo, "undo")
        self._add("redo", self.tr("&Redo"), self.tr("Make the change again"), _STANDARD.Redo, "redo")
        tip = self.tr("Take points or a picture from the clipboard as the target, or a recipe or a link to one")
        self._add("paste", self.tr("&Paste target or recipe"), tip, _STANDARD.Paste)
        tip = self.tr("Copy the canvas as a picture")
        self._add("copy-figure", self.tr("&Copy figure"), tip, "Ctrl+Shift+C", "copy")
        tip = self.tr("Copy a script that sets up this experiment and trains it")
        self._add("copy-python", self.tr("&Python"), tip)
        self._add("copy-command", self.tr("&Command"), self.tr("Copy the command line that trains this recipe"))
        self._add("copy-recipe", self.tr("&Recipe"), self.tr("Copy the recipe as JSON; it can be pasted into a lab"))
        tip = self.tr("Copy the recipe as one line of text that can be mailed, and pasted into a lab")
        self._add("copy-link", self.tr("&Link"), tip)

    def _view(self) -> None:
        tip = self.tr("Change between the dark and the light theme")
        self._add("theme", self.tr("&Light theme"), tip, "Ctrl+Shift+L", "theme", True)
        self._add("larger", self.tr("&Larger"), self.tr("Scale the interface up, for a projector"), _STANDARD.ZoomIn)
        self._add("smaller", self.tr("&Smaller"), self.tr("Scale the interface down"), _STANDARD.ZoomOut)
        self._add("normal", self.tr("&Normal size"), self.tr("The interface at its own size"), "Ctrl+Shift+0")

    def _run(self) -> None:
        # The key is bound elsewhere: on a button that has the focus it means that button.
        self._add("run", self.tr("Run"), self.tr("Train, or pause (Space)"), icon="run")
        tip = self.tr("Train for one step; in slow motion, go on to the next stage")
        self._add("step", self.tr("Step"), tip, Qt.Key.Key_Period, "step")
        tip = self.tr("Show the stages of a training step one by one; while paused, of the particles that keep moving")
        self._add("slow-motion", self.tr("Slow motion"), tip, "S", "slow-motion", True)
        self._add("slower", self.tr("Slower"), self.tr("Fewer steps per second"), Qt.Key.Key_BracketLeft)
        self._add("faster", self.tr("Faster"), self.tr("More steps per second"), Qt.Key.Key_BracketRight)
        tip = self.tr("Let the particles move while the training is paused")
        self._add("drift", self.tr("Keep particles moving"), tip, "D", "drift", True)
        self._add("reset", self.tr("Reset"), self.tr("Start afresh, from the same seed"), "R", "reset")

    def _timeline(self) -> None:
        tip = self.tr("Show the run from its beginning, or from the step that is shown, as it was")
        self._add("play-back", self.tr("&Play back"), tip, "P", "replay", True)
        # The key leaves whatever is shown, one thing after another, and is bound elsewhere.
        self._add("now", self.tr("Back to &now"), self.tr("Show the run as it is now (Esc)"), icon="now")
        tip = self.tr("Compare with the step that is shown from now on; once more to stop")
        self._add("compare", self.tr("&Compare with this step"), tip, "C", "compare", True)
        tip = self.tr("Give the step that is shown a name and a note")
        self._add("name-moment", self.tr("&Name this step…"), tip, "N", "flag")
        tip = self.tr("Go on from the step that is shown, with another estimator say; the run as it is now is kept")
        self._add("fork", self.tr("&Fork here"), tip, "Shift+F", "fork")

    def _tools(self) -> None:
        tip = self.tr("Phenomena to open, each with the claim that it makes")
        self._add("gallery", self.tr("&Gallery"), tip, "Ctrl+G", checkable=True)
        tip = self.tr("What log Z costs as the dimension grows")
        self._add("dimension", self.tr("&Beyond the plane"), tip, "Ctrl+B", checkable=True)
        tip = self.tr("The runs so far, with their recipes, compute time and exact figures")
        self._add("tried", self.tr("&What was tried"), tip, "Ctrl+J", checkable=True)
        tip = self.tr("Every component's equation, caveats, papers and knobs, beside the form")
        self._add("catalogue", self.tr("&Catalogue"), tip, "F2", checkable=True)

    def _arrange(self) -> None:
        self._add("recipe-panel", self.tr("&Recipe"), self.tr("Show or hide the recipe"), "F9", checkable=True)
        self._add("charts-panel", self.tr("C&harts"), self.tr("Show or hide the charts"), "F10", checkable=True)
        self._add("full-screen", self.tr("&Full screen"), self.tr("Fill the screen"), "F11", checkable=True)
        tip = self.tr("Canvas and charts alone, larger, for an audience; Esc leaves")
        self._add("present", self.tr("&Present"), tip, "F5", "present", True)

    def _help(self) -> None:
        self._add("guide", self.tr("&Guide"), self.tr("Keys, colours and words"), "F1", "help")
        self._add("find", self.tr("&Find an action…"), self.tr("Everything, by name"), "Ctrl+Shift+P", "find")
        tip = self.tr("Copy versions and device, for a bug report")
        self._add("copy-facts", self.tr("&Copy versions"), tip)
        self._add("about", self.tr("&About ebmlab"), self.tr("What this is"))
