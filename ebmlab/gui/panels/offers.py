from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.left_behind import Offer
from ebmlab.gui.widgets import Label

tr = QCoreApplication.translate
PICTURE = (64, 40)
"""Pixels of a run's picture at scale 1."""
MOST, LOW = 3, 700
"""Runs that are seen at once, the others are scrolled to; the height of a window that has room for one only."""


class OffersBar(QFrame):
    """What was left when a lab ended without being closed, above the canvas: to be taken back, or not.

    Signals:
        restore, save_as, discard: The offer that shall be gone on with, copied to a file, deleted.
    """

    restore = Signal(object)
    save_as = Signal(object)
    discard = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offers: tuple[Offer, ...] = ()
        self.setObjectName("offers")
        self.setProperty("card", True)
        heading = QLabel(self.tr("The lab was not closed the last time. This was under way:"))
        heading.setProperty("heading", True)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 8, 6)
        column.setSpacing(4)
        column.addWidget(heading)
        column.addWidget(self._scroll)
        self.hide()

    def show_offers(self, offers: Sequence[Offer]) -> None:
        """Offers these and no others; without any the bar is gone."""

        self.offers = tuple(offers)
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for offer in offers:
            column.addWidget(self._row(offer))
        self._scroll.setWidget(rows)
        low = self.window().height() < theme.current().px(LOW)
        seen = max(min(len(offers), 1 if low else MOST), 1)
        self._scroll.setFixedHeight(seen * theme.current().px(PICTURE[1]) + (seen - 1) * 4 + 2)
        self.setVisible(bool(offers))

    def _row(self, offer: Offer) -> QWidget:
        px = theme.current().px
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        picture, thumbnail = QLabel(), QPixmap()
        thumbnail.loadFromData(offer.run.thumbnail)
        if not thumbnail.isNull():
            size = px(PICTURE[0]), px(PICTURE[1])
            smooth = Qt.TransformationMode.SmoothTransformation
            wide = thumbnail.scaled(*size, Qt.AspectRatioMode.KeepAspectRatioByExpanding, smooth)
            picture.setPixmap(wide.copy((wide.width() - size[0]) // 2, (wide.height() - size[1]) // 2, *size))
        picture.setFixedSize(px(PICTURE[0]), px(PICTURE[1]))
        line.addWidget(picture)
        words = QVBoxLayout()
        words.setSpacing(0)
        name, when = described(offer)
        words.addWidget(Label(name))
        words.addWidget(Label(when, muted=True))
        line.addLayout(words, 1)
        for text, tip, signal in (
            (self.tr("Restore"), self.tr("Goes on with it where it stood"), self.restore),
            (self.tr("Save as…"), self.tr("Copies it to a file"), self.save_as),
            (self.tr("Discard"), self.tr("Deletes it"), self.discard),
        ):
            line.addWidget(_button(text, tip, partial(signal.emit, offer)))
        return row


def described(offer: Offer) -> tuple[str, str]:
    """Returns what was under way, and how far and when."""

    recipe, when, locale = offer.run.recipe, QDateTime.fromSecsSinceEpoch(int(offer.when)), QLocale()
    short = QLocale.FormatType.ShortFormat
    today = when.date() == QDate.currentDate()
    day = tr("OffersBar", "today") if today else locale.toString(when.date(), short)
    step = tr("OffersBar", "step {}").format(f"{offer.run.step:,}")
    return f"{recipe.target.kind} / {recipe.estimator.kind}", f"{step}, {locale.toString(when.time(), 'HH:mm')} {day}"


def _button(text: str, tip: str, slot: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _=False: slot())
    return button
