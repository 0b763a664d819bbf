from __future__ import annotations

from functools import cache

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ebmlab.gui import theme
from ebmlab.gui.kinds import NAME, KindDelegate
from ebmlab.gui.labels import families, heading, label, sections, title
from ebmlab.gui.panels.sheet import ComponentSheet
from ebmlab.gui.widgets import IconButton
from ebmlab.session.recipe import Recipe
from ebmlab.spec import FAMILIES, Component, knobs, page

_CLASS = NAME + 1


class CataloguePanel(QWidget):
    """Every component by family, and the page of the one that was chosen.

    Arguments:
        recipe: The recipe that components can be put into.

    Signals:
        used: The family and the kind that shall go into the recipe.
        closed: The cross was clicked.
    """

    used = Signal(str, str)
    closed = Signal()

    def __init__(self, recipe: Recipe, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("catalogue-panel")
        self.setAccessibleName(self.tr("Catalogue"))
        self._recipe = recipe
        self.seek = QLineEdit()
        self.seek.setPlaceholderText(self.tr("Search the catalogue"))
        self.seek.setAccessibleName(self.tr("Search the catalogue"))
        self.seek.setToolTip(self.tr("Shows what holds these words: names, pages, knobs and papers are searched"))
        self.seek.setClearButtonEnabled(True)
        self.seek.installEventFilter(self)
        self.setFocusProxy(self.seek)
        self.tree, self.sheet = _tree(), ComponentSheet()
        self.tree.setAccessibleName(self.tr("Components by family"))
        self.nothing = QLabel(self.tr("No page holds these words."))
        self.nothing.setProperty("muted", True)
        self.nothing.hide()
        self._lay_out()
        self.seek.textChanged.connect(self._sought)
        self.tree.currentItemChanged.connect(lambda item, _: self._turn_to(item))
        self.sheet.asked.connect(self.open_page)
        self.sheet.used.connect(self.used)
        self.open_page(f"estimator/{recipe.estimator.kind}")

    def _lay_out(self) -> None:
        px = theme.current().px
        cross = IconButton("close", self.tr("Close the catalogue (Esc)"), self, size=12)
        cross.setObjectName("close-catalogue")
        cross.clicked.connect(lambda _=False: self.closed.emit())
        top = QHBoxLayout()
        top.setContentsMargins(px(10), px(8), px(6), px(6))
        top.addWidget(self.seek, 1)
        top.addWidget(cross)
        self.nothing.setContentsMargins(px(12), 0, px(12), px(6))
        split = QSplitter(Qt.Orientation.Vertical)
        split.setHandleWidth(px(6))
        split.setChildrenCollapsible(False)
        split.addWidget(self.tree)
        split.addWidget(self.sheet)
        split.setStretchFactor(1, 1)
        split.setSizes([px(240), px(480)])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.nothing)
        column.addWidget(split, 1)

    def open_page(self, name: str) -> None:
        """Turns to the page of a component, given as family/kind."""

        item = next((item for item in self._items() if name_of(item) == name), None)
        if item is not None:
            if item.isHidden():
                self.seek.clear()
            self.tree.setCurrentItem(item)
            self.tree.scrollToItem(item)

    def show_recipe(self, recipe: Recipe) -> None:
        """Shows which components the recipe has; the page stays."""

        self._recipe = recipe
        parts = [part for name, _, _ in knobs(recipe) if isinstance(part := getattr(recipe, name), Component)]
        in_use = {f"{part.family}/{part.kind}" for part in parts}
        self.sheet.show_use({k.family for _, _, k in knobs(Recipe) if k.family}, in_use)

    def listed(self) -> list[str]:
        """Returns the components that the search leaves, as family/kind."""

        return [name_of(item) for item in self._items() if not item.isHidden()]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lets the arrow keys go on from the search to what it found, and Enter to its first."""

        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = Qt.Key(event.key())
            if key == Qt.Key.Key_Down:
                self.tree.setFocus()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if (current := self.tree.currentItem()) is None or current.isHidden():
                    self._choose_first()
                return True
        return False

    def _choose_first(self) -> None:
        if (first := next((item for item in self._items() if not item.isHidden()), None)) is not None:
            self.tree.setCurrentItem(first)

    def _items(self) -> list[QTreeWidgetItem]:
        return [top.child(i) for top in self._tops() for i in range(top.childCount())]

    def _tops(self) -> list[QTreeWidgetItem]:
        return [top for i in range(self.tree.topLevelItemCount()) if (top := self.tree.topLevelItem(i))]

    def _turn_to(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and item.data(0, _CLASS) is not None:
            self.sheet.show_component(item.data(0, _CLASS))
            self.show_recipe(self._recipe)

    def _sought(self, text: str) -> None:
        words = text.lower().split()
        for item in self._items():
            item.setHidden(not all(word in _words(name_of(item)) for word in words))
        current = self.tree.currentItem()
        for top in self._tops():
            top.setHidden(all(top.child(j).isHidden() for j in range(top.childCount())))
            top.setExpanded(bool(words) or (current is not None and current.parent() is top))
        self.nothing.setVisible(not self.listed())
        if words:
            self.tree.scrollToTop()
        elif current is not None:
            self.tree.scrollToItem(current)


def _tree() -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderHidden(True)
    tree.setItemDelegate(KindDelegate(tree))
    tree.setUniformRowHeights(True)
    tree.setIndentation(theme.current().px(14))
    tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    for family in families():
        for section in sections(family):
            top = QTreeWidgetItem(tree, [section.heading])
            top.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for cls in section.members:
                item = QTreeWidgetItem(top, [title(cls)])
                item.setData(0, NAME, cls.kind)
                item.setData(0, _CLASS, cls)
                item.setToolTip(0, f"{cls.kind}: {title(cls)}")
    return tree


def name_of(item: QTreeWidgetItem) -> str:
    cls: type[Component] = item.data(0, _CLASS)
    return f"{cls.family}/{cls.kind}"


@cache
def _words(name: str) -> str:
    """Returns everything that a component, given as family/kind, can be found by."""

    family, _, kind = name.partition("/")
    p = page(FAMILIES[family][kind])
    said = [p.kind, p.title, p.family, heading(p.family), p.text, *(title for title, _ in p.references)]
    said += [f"{label(name, k)} {k.help}" for name, _, k in p.knobs]
    return " ".join(said).lower()
