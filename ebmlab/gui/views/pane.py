from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFont, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ebmlab.gui import theme
from ebmlab.gui.views.plane import Plane
from ebmlab.paint.overlays import OVERLAYS
from ebmlab.paint.plane import Shared
from ebmlab.paint.shapes import painting, pen
from ebmlab.paint.shows import SHOWS
from ebmlab.paint.words import translate


class Pane(QFrame):
    """One picture of the plane under a header that says what it is.

    Signals:
        chosen: What the pane shows, or what lies over it, was changed by hand.
        activated: The pane was clicked or got the keyboard.
        expanded: The header was double clicked.
    """

    chosen = Signal()
    activated = Signal()
    expanded = Signal()

    def __init__(self, index: int, show: str, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"pane-{index}")
        self.setProperty("card", True)
        self.plane = Plane(shared, self)
        self.plane.setObjectName(f"plane-{index}")
        self.plane.activated.connect(self.activated)
        self.plane.menu_wanted.connect(lambda at: self._menu.popup(at))
        self._figure = ""
        self._furnish()
        theme.signals.changed.connect(self._dress)
        self.show_kind(show)
        self._dress()

    def _furnish(self) -> None:
        self._title, self._subtitle = QLabel(), QLabel()
        self._subtitle.setProperty("muted", True)
        self._subtitle.setTextFormat(Qt.TextFormat.RichText)
        self._subtitle.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self._button = QToolButton()
        self._button.setProperty("flat", True)
        self._button.setMenu(self._menu)
        self._button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._button.setAccessibleName(self.tr("What this pane shows"))
        self._button.setToolTip(self.tr("Choose what this pane shows and what lies over it"))
        self.header = QWidget()
        row = QHBoxLayout(self.header)
        row.setContentsMargins(10, 2, 4, 2)
        row.setSpacing(8)
        row.addWidget(self._title)
        row.addWidget(self._subtitle, 1)
        row.addWidget(self._button)
        self.header.setToolTip(self.tr("Double click to fill the canvas with this pane, and again to go back"))
        self.header.installEventFilter(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.plane, 1)

    @property
    def kind(self) -> str:
        """What the pane shows, a key of ``SHOWS``."""

        return self.plane.kind

    @property
    def overlays(self) -> frozenset[str]:
        """What lies over it, keys of ``OVERLAYS``."""

        return self.plane.overlays

    def show_kind(self, kind: str) -> None:
        """Shows another kind of picture, with the overlays that become it."""

        show = SHOWS[kind]
        self.plane.show_kind(kind)
        self._title.setText(translate("Canvas", show.title))
        self.plane.setAccessibleName(translate("Canvas", show.title))
        self.plane.setAccessibleDescription(translate("Canvas", show.help))
        self.setAccessibleName(translate("Canvas", show.title))
        self._title.setToolTip(translate("Canvas", show.help))
        self.set_figure("")
        self.chosen.emit()

    def set_overlay(self, name: str, on: bool) -> None:
        """Lays something over the picture, or takes it away."""

        self.plane.set_overlays(self.overlays | {name} if on else self.overlays - {name})
        self.chosen.emit()

    def set_figure(self, text: str) -> None:
        """Says a figure after the subtitle."""

        subtitle = translate("Canvas", SHOWS[self.kind].subtitle)
        subtitle = f"{subtitle} · {text}" if text else subtitle
        if subtitle != self._subtitle.text():
            self._subtitle.setText(subtitle)
            self._make_room()

    def set_active(self, active: bool, framed: bool) -> None:
        """Makes it the pane that the keyboard speaks to, with a frame that says so or without."""

        self.plane.speaks, self.plane.framed = active, active and framed
        self.update()
        self.plane.update()

    def eventFilter(self, watched: object, event: object) -> bool:
        if watched is self.header and isinstance(event, QMouseEvent):
            if event.type() == QMouseEvent.Type.MouseButtonDblClick:
                self.expanded.emit()
                return True
            if event.type() == QMouseEvent.Type.MouseButtonPress:
                self.activated.emit()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.plane.framed:
            radius = theme.current().px(8)
            with painting(self) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(pen(theme.current().palette.accent))
                painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)

    def _make_room(self) -> None:
        """Hides the subtitle where it would be cut off."""

        room = self.width() - self._title.sizeHint().width() - self._button.sizeHint().width() - 40
        self._subtitle.setVisible(self._subtitle.sizeHint().width() <= room)

    def _fill(self) -> None:
        self._menu.clear()
        group = QActionGroup(self._menu)
        for i, (kind, show) in enumerate(SHOWS.items()):
            action = QAction("{}  {}".format(i + 1, translate("Canvas", show.title)), self._menu, checkable=True)
            action.setChecked(kind == self.kind)
            action.setToolTip(translate("Canvas", show.help))
            action.triggered.connect(lambda _=False, kind=kind: self.show_kind(kind))
            group.addAction(action)
            self._menu.addAction(action)
        self._menu.addSeparator()
        for name, overlay in OVERLAYS.items():
            action = QAction(translate("Canvas", overlay.title), self._menu, checkable=True)
            action.setChecked(name in self.overlays)
            action.setToolTip(translate("Canvas", overlay.help))
            action.toggled.connect(lambda on, name=name: self.set_overlay(name, on))
            self._menu.addAction(action)
        self._menu.setToolTipsVisible(True)

    def _dress(self) -> None:
        now = theme.current()
        self._title.setFont(now.font(12, QFont.Weight.DemiBold))
        self._subtitle.setFont(now.font(11))
        self._button.setIcon(theme.icon("chevron-down", now.palette))
        self.header.setFixedHeight(now.px(28))
        self._make_room()
        self.plane.update()
