"""The recipe panel: the whole experiment as one column of forms, in the order in which one thinks."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.form import Form, PartEditor, PartsEditor
from ebmlab.gui.labels import label
from ebmlab.gui.panels.drawing import DrawingPanel
from ebmlab.gui.panels.matcher import Matcher
from ebmlab.gui.widgets import Fold, Label
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Snapshot
from ebmlab.spec import changes, knobs

WIDTH = 276


class RecipePanel(QScrollArea):
    """Edits a recipe.

    Attributes:
        drawing: The tools at the top of the target's section.

    Signals:
        edited: The recipe as the user wants it to be, what undo shall call the edit, and the knob's dotted path.
        finished: The user let go of a knob: the next edit is undone by itself.
        asked: The page of the catalogue that the user wants to see, as family/kind.
    """

    edited = Signal(object, str, str)
    finished = Signal()
    asked = Signal(str)

    def __init__(self, recipe: Recipe, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.recipe = recipe
        self.forms: list[Form] = []
        self.drawing = DrawingPanel(self)
        self.drawing.target_chosen.connect(self._begin_from)
        self.matcher = Matcher(recipe.energy, self)
        self.matcher.matched.connect(self._resize_energy)
        self.matcher.refused.connect(lambda fault: self.energy.show_fault(fault))
        self._fill()
        self._arrange()
        self._summarise()

    def _fill(self) -> None:
        self.target = self._part("target")
        self.energy = self._part("energy")
        self.estimator = self._part("estimator")
        self.optimizer = self._part("optimizer")
        self.sampler = self._part("sampler")
        self.target.extra.addWidget(self.drawing)
        self.energy.extra.addWidget(self.matcher)
        self.optimizer.footer.addWidget(self._form("batch"))
        self.log_z, self.data = self._form("log_z"), self._form("data", "seed", "window")
        self.log_z_fold = Fold(self.tr("Log Z"), [self.log_z], self)
        self.data_fold = Fold(self.tr("Data"), [self.data], self)
        self.log_z_summary, self.data_summary = Label("", self, muted=True), Label("", self, muted=True)

    def _part(self, name: str) -> PartEditor:
        editor = self._form(name, headings=True).editors[name]
        assert isinstance(editor, PartEditor)
        return editor

    def _form(self, *names: str, headings: bool = False) -> Form:
        form = Form(self.recipe, names=names, headings=headings)
        form.edited.connect(self._tell)
        form.finished.connect(self.finished)
        form.asked.connect(self.asked)
        self.forms.append(form)
        return form

    def _arrange(self) -> None:
        px = theme.current().px
        content = QWidget()
        content.setProperty("surface", "panel")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, px(8), 0, px(8))
        column.setSpacing(px(8))
        for editor in (self.target, self.energy, self.estimator, self.optimizer, self.sampler):
            self._section(column, editor)
        for fold, summary, form in (
            (self.log_z_fold, self.log_z_summary, self.log_z),
            (self.data_fold, self.data_summary, self.data),
        ):
            section = QWidget()
            inner, line = QVBoxLayout(section), QHBoxLayout()
            inner.setContentsMargins(0, 0, 0, 0)
            line.addWidget(fold)
            line.addWidget(summary, 1)
            inner.addLayout(line)
            inner.addWidget(form)
            fold.unfold(False)
            self._section(column, section)
        column.addStretch()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setProperty("surface", "panel")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(px(WIDTH))
        self.setAccessibleName(self.tr("Recipe"))

    def _section(self, column: QVBoxLayout, section: QWidget) -> None:
        px = theme.current().px
        if column.count():
            rule = QFrame()
            rule.setProperty("rule", True)
            column.addWidget(rule)
        held = QHBoxLayout()
        held.setContentsMargins(px(12), 0, px(12), 0)
        held.addWidget(section)
        column.addLayout(held)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(WIDTH), theme.current().px(600))

    def show_recipe(self, recipe: Recipe) -> None:
        """Shows a recipe that came from elsewhere, in place; tells nobody."""

        if recipe == self.recipe:
            return
        self.recipe = recipe
        for form in self.forms:
            form.set_component(recipe)
        self.matcher.show_energy(recipe.energy)
        self._summarise()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Shows how many parameters the energy has."""

        self.matcher.show_count(snapshot.recipe.energy, snapshot.parameters)

    def use(self, family: str, kind: str) -> str:
        """Puts a component into the recipe and shows its section; returns why it will not do, if so."""

        name = next(name for name, _, k in knobs(self.recipe) if k.family == family)
        editor = next(form.editors[name] for form in self.forms if name in form.editors)
        fault = ""
        if isinstance(editor, PartEditor):
            editor.choose(kind)
            fault = editor.fault.text()
        elif isinstance(editor, PartsEditor):
            self.log_z_fold.unfold(True)
            editor.append(kind)
        QTimer.singleShot(0, editor, lambda: self.ensureWidgetVisible(editor, 0, 0))
        return fault

    def close_down(self) -> None:
        """Calls off what is under way."""

        self.matcher.close_down()

    def _resize_energy(self, energy: object) -> None:
        self.finished.emit()
        if self.energy.submit(energy):
            self.energy.refresh()
            self.finished.emit()

    def _tell(self, recipe: Recipe) -> None:
        paths = [path for path, _ in changes(self.recipe, recipe)]
        self.show_recipe(recipe)
        if paths:
            self.edited.emit(recipe, self._label(paths[0]), "+".join(paths))

    def _label(self, path: str) -> str:
        name = path.rpartition(".")[2]
        spoken = {n: label(n, k) for n, _, k in knobs(self.recipe)}.get(name, name.replace("_", " "))
        return self.tr("Change %1").replace("%1", spoken)

    def _begin_from(self, target: object) -> None:
        if self.target.submit(target):
            self.target.refresh()
            self.finished.emit()

    def _summarise(self) -> None:
        methods = ", ".join(method.kind for method in self.recipe.log_z)
        size = self.recipe.data.size
        self.log_z_summary.show_text(methods or self.tr("none"))
        fresh, fixed = self.tr("fresh for ever"), self.tr("%1 points").replace("%1", f"{size:,}")
        self.data_summary.show_text(fixed if size else fresh)
