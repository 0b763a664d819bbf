"""The cards of the gallery: a list whose entries are painted, not built of widgets."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ebmlab.assets import assets
from ebmlab.gui import theme
from ebmlab.session.gallery import Exhibit

WIDTH, HEIGHT, PICTURE = 236, 190, 108
EXHIBIT, THUMBNAIL = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex


class Cards(QListView):
    """Every exhibit as a card with its picture, in order; the cards that a word is not found on are left out.

    Signals:
        chosen: The exhibit that the cursor stands on.
        entered: The exhibit that was double-clicked, or that Return was pressed on.
    """

    chosen = Signal(object)
    entered = Signal(object)

    def __init__(self, exhibits: Sequence[Exhibit], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exhibits = tuple(exhibits)
        self.setAccessibleName(self.tr("Exhibits"))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setItemDelegate(Painter(self))
        self.setModel(QStandardItemModel(self))
        self.activated.connect(lambda index: self.entered.emit(index.data(EXHIBIT)))
        self.selectionModel().currentChanged.connect(self._move)
        theme.signals.changed.connect(self._space)
        self._space()
        self.seek("")

    def seek(self, words: str) -> None:
        """Shows the exhibits that hold all the words; keeps the cursor where it can."""

        kept, wanted = self.current, words.lower().split()
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        model.clear()
        for exhibit in self._exhibits:
            said = f"{exhibit.number} {exhibit.name} {exhibit.title} {exhibit.text}".lower()
            if all(word in said for word in wanted):
                model.appendRow(_item(exhibit))
        places = [i for i in range(model.rowCount()) if model.index(i, 0).data(EXHIBIT) == kept]
        if model.rowCount():
            self.setCurrentIndex(model.index(places[0] if places else 0, 0))

    @property
    def current(self) -> Exhibit | None:
        """The exhibit that the cursor stands on."""

        return self.currentIndex().data(EXHIBIT)

    def _move(self, index: Index) -> None:
        if index.isValid():
            self.chosen.emit(index.data(EXHIBIT))

    def _space(self) -> None:
        look = theme.current()
        self.setGridSize(QSize(look.px(WIDTH + 12), look.px(HEIGHT + 12)))
        self.scheduleDelayedItemsLayout()


class Painter(QStyledItemDelegate):
    """Paints a card: the picture, the number and the title, and as much of the text as there is room for."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        look = theme.current()
        return QSize(look.px(WIDTH), look.px(HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, exhibit = theme.current(), index.data(EXHIBIT)
        palette = look.palette
        rect = QRect(option.rect).adjusted(2, 2, -2, -2)  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        edge = palette.accent if chosen else palette.muted if state & QStyle.StateFlag.State_MouseOver else palette.line
        painter.setPen(QPen(QColor(edge), 2 if chosen else 1))
        painter.setBrush(QColor(palette.panel))
        painter.drawRoundedRect(QRectF(rect), look.px(8), look.px(8))
        inner = rect.adjusted(look.px(8), look.px(8), -look.px(8), -look.px(6))
        picture = QRect(inner.left(), inner.top(), inner.width(), look.px(PICTURE))
        _picture(painter, picture, index.data(THUMBNAIL), exhibit.number)
        below = inner.adjusted(0, picture.height() + look.px(6), 0, 0)
        _words(painter, below, f"{exhibit.number}  {exhibit.title}", look.font(12, QFont.Weight.DemiBold))
        painter.restore()


def thumbnail(name: str) -> QPixmap:
    """Returns the picture of an exhibit, empty if there is none."""

    return QPixmap(str(assets() / "recipes" / "thumbnails" / f"{name}.png"))


def _item(exhibit: Exhibit) -> QStandardItem:
    item = QStandardItem(exhibit.title)
    item.setData(exhibit, EXHIBIT)
    item.setData(thumbnail(exhibit.name), THUMBNAIL)
    item.setToolTip(exhibit.text)
    item.setData(exhibit.text, Qt.ItemDataRole.AccessibleDescriptionRole)
    return item


def _picture(painter: QPainter, rect: QRect, picture: QPixmap, number: int) -> None:
    """Draws the picture, as large as the place allows; a card without one shows its number."""

    if picture.isNull():
        palette = theme.current().palette
        painter.fillRect(rect, QColor(palette.raised))
        painter.setPen(QColor(palette.muted))
        painter.setFont(theme.current().font(28))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, str(number))
        return
    share = min(rect.width() / picture.width(), rect.height() / picture.height())
    place = QRectF(0, 0, share * picture.width(), share * picture.height())
    place.moveCenter(QRectF(rect).center())
    painter.drawPixmap(place, picture, QRectF(picture.rect()))


def _words(painter: QPainter, rect: QRect, text: str, font: QFont) -> None:
    painter.setFont(font)
    painter.setPen(QColor(theme.current().palette.ink))
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    painter.setClipRect(rect)
    painter.drawText(rect, int(flags), text)
