"""Lists of components: title and kind side by side, under headings, found by typing either."""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ebmlab.gui import theme
from ebmlab.gui.labels import sections, title
from ebmlab.gui.widgets import Combo

Index = QModelIndex | QPersistentModelIndex

NAME = Qt.ItemDataRole.UserRole
"""The role that holds the kind; None for a heading."""
PAUSE = 1.0
"""Seconds after which a typed letter begins another word."""
GAP, HIGH = 24, 24


def offer(combo: Combo, family: str) -> None:
    """Adds the kinds of a family to a combo box, under headings where there are several."""

    combo.setView(KindList(combo))
    combo.setItemDelegate(KindDelegate(combo))
    found = sections(family)
    model = combo.model()
    assert isinstance(model, QStandardItemModel)
    for section in found:
        if len(found) > 1:
            model.appendRow(headed(section.heading))
        for cls in section.members:
            combo.addItem(title(cls), cls.kind)
            combo.setItemData(combo.count() - 1, f"{cls.kind}: {title(cls)}", Qt.ItemDataRole.ToolTipRole)


def headed(text: str) -> QStandardItem:
    """Returns a heading, which cannot be chosen."""

    item = QStandardItem(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item


class KindDelegate(QStyledItemDelegate):
    """Writes the title at the left and the kind, muted, at the right; a heading in bold."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, kind = theme.current(), index.data(NAME)
        self.initStyleOption(option, index)
        text, option.text = option.text, ""  # type: ignore[attr-defined]
        widget: QWidget = option.widget  # type: ignore[attr-defined]
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        room: QRect = option.rect.adjusted(look.px(6), 0, -look.px(6), 0)  # type: ignore[attr-defined]
        painter.save()
        if kind is None:
            painter.setFont(_bold(option))
        if kind:
            painter.setPen(QColor(look.palette.muted))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, kind)
            room.setRight(room.right() - painter.fontMetrics().horizontalAdvance(kind) - look.px(GAP) // 2)
        painter.setPen(QColor(look.palette.muted if kind is None else look.palette.ink))
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        look = theme.current()
        self.initStyleOption(option, index)
        wide = option.fontMetrics.horizontalAdvance  # type: ignore[attr-defined]
        kind = index.data(NAME)
        width = wide(index.data()) + (look.px(GAP) + wide(kind) if kind else 0)
        return QSize(width + look.px(12), look.px(HIGH))


def _bold(option: QStyleOptionViewItem) -> QFont:
    font = QFont(option.font)  # type: ignore[attr-defined]
    font.setWeight(QFont.Weight.DemiBold)
    return font


class KindList(QListView):
    """A list in which typing goes to the component whose kind or title begins so, else has a word that does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._typed, self._when = "", -PAUSE

    def keyboardSearch(self, search: str) -> None:
        now = monotonic()
        self._typed = search.lower() if now - self._when > PAUSE else self._typed + search.lower()
        self._when = now
        again = len(set(self._typed)) == 1  # the same key once more goes to the next that begins so
        word = self._typed[0] if again else self._typed
        here = self.currentIndex().row()
        rows = [(here + int(again) + i) % self.model().rowCount() for i in range(self.model().rowCount())]
        ranked = [(rank, i, row) for i, row in enumerate(rows) if (rank := self._rank(row, word)) is not None]
        if ranked:
            self.setCurrentIndex(self.model().index(min(ranked)[2], 0))

    def _rank(self, row: int, word: str) -> int | None:
        """Returns 0 where kind or title begin with a word, 1 where one of their words does; None where none does."""

        index = self.model().index(row, 0)
        names = [str(name).lower() for name in (index.data(NAME), index.data()) if index.data(NAME)]
        if any(name.startswith(word) for name in names):
            return 0
        parts = [part for name in names for part in name.replace("-", " ").replace("(", " ").split()]
        return 1 if any(part.startswith(word) for part in parts) else None
