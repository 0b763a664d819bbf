"""The look of the window: two palettes, one style sheet, icons that follow, and a scale for projectors."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from string import Template

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from ebmlab.assets import assets

ASSETS = assets()

_ICON_SIZES = (16, 20, 24, 32, 48, 64)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours as ``#rrggbb``. Exact is ink; target and data are blue; the model is orange, a second method violet.

    Green, amber and red only say whether something is sound.
    """

    name: str
    dark: bool
    background: str
    panel: str
    raised: str
    line: str
    ink: str
    muted: str
    blue: str
    orange: str
    violet: str
    green: str
    amber: str
    red: str
    on_accent: str

    @property
    def accent(self) -> str:
        """The one colour of what is chosen or can be dragged."""

        return self.blue


DARK = Palette(
    name="dark",
    dark=True,
    background="#15171b",
    panel="#1c1f25",
    raised="#23272e",
    line="#2e333c",
    ink="#f2f3f5",
    muted="#8d95a3",
    blue="#58a6ff",
    orange="#f0a04b",
    violet="#c77dde",
    green="#5fb98a",
    amber="#e8c15a",
    red="#f0727a",
    on_accent="#0b1524",
)
LIGHT = Palette(
    name="light",
    dark=False,
    background="#f4f5f7",
    panel="#ffffff",
    raised="#eef0f3",
    line="#d9dde3",
    ink="#15181d",
    muted="#667080",
    blue="#1f6fd0",
    orange="#c76a08",
    violet="#8b3fae",
    green="#2f8f5f",
    amber="#a87800",
    red="#c4313c",
    on_accent="#ffffff",
)
PALETTES = {palette.name: palette for palette in (DARK, LIGHT)}


@dataclass(frozen=True, kw_only=True)
class Theme:
    """A palette at a scale; 1 is for a desk, 1.5 for a projector."""

    palette: Palette = DARK
    scale: float = 1.0

    def px(self, length: float) -> int:
        """Returns a length in pixels at this scale, at least 1."""

        return max(1, round(length * self.scale))

    @property
    def stylesheet(self) -> str:
        """The style sheet, in the colours of the palette; every length but hairlines follows the scale."""

        return _stylesheet(self)

    def font(self, size: float = 12, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Returns the font of the interface at a size in pixels, with figures of equal width."""

        return QFont(_font(QApplication.font().family(), self.px(size), weight))


@lru_cache(maxsize=16)
def _stylesheet(theme: Theme) -> str:
    text = (ASSETS / "themes" / "lab.qss").read_text(encoding="utf-8")
    words = {**asdict(theme.palette), "accent": theme.palette.accent, "assets": ASSETS.as_posix()}
    text = Template(text).substitute(words)
    return re.sub(r"\b(\d+)px", lambda m: f"{theme.px(int(m[1]))}px" if m[1] not in "01" else m[0], text)


@lru_cache(maxsize=256)
def _font(family: str, pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont(family)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


class Signals(QObject):
    """What is told to whoever paints.

    Signals:
        changed: The theme that was just applied.
    """

    changed = Signal(object)


signals = Signals()
_current = Theme()


def current() -> Theme:
    """Returns the theme in use."""

    return _current


def apply(app: QApplication, theme: Theme) -> None:
    """Dresses the whole application, and tells those that paint for themselves."""

    global _current
    _current = theme
    if app.style().objectName() != "fusion":  # to set it again would polish every widget twice
        app.setStyle("Fusion")
    app.setPalette(qt_palette(theme.palette))
    app.setFont(theme.font())
    app.setStyleSheet(theme.stylesheet)
    signals.changed.emit(theme)


def qt_palette(palette: Palette) -> QPalette:
    """Returns Qt's palette in our colours, for what the style sheet leaves alone."""

    role = QPalette.ColorRole
    colours = {
        role.Window: palette.panel,
        role.Base: palette.raised,
        role.AlternateBase: palette.panel,
        role.Button: palette.raised,
        role.ToolTipBase: palette.raised,
        role.WindowText: palette.ink,
        role.Text: palette.ink,
        role.ButtonText: palette.ink,
        role.ToolTipText: palette.ink,
        role.PlaceholderText: palette.muted,
        role.Highlight: palette.accent,
        role.HighlightedText: palette.on_accent,
        role.Link: palette.accent,
        role.Mid: palette.line,
        role.Dark: palette.line,
        role.Light: palette.raised,
    }
    made = QPalette()
    for key, colour in colours.items():
        made.setColor(key, QColor(colour))
    for key in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, key, mix(palette.muted, palette.panel, 0.6))
    return made


def mix(colour: str, other: str, share: float) -> QColor:
    """Returns a share of the one colour over the other."""

    a, b = QColor(colour), QColor(other)
    parts = zip((a.red(), a.green(), a.blue()), (b.red(), b.green(), b.blue()))
    return QColor(*(round(share * p + (1 - share) * q) for p, q in parts))


def icon(name: str, palette: Palette | None = None) -> QIcon:
    """Returns an icon of ``assets/icons`` in the colours of a palette: ink, muted while disabled, inverse while on.

    Raises:
        FileNotFoundError: If there is no such icon.
    """

    return _icon(name, palette or current().palette)


@lru_cache(maxsize=256)
def _icon(name: str, palette: Palette) -> QIcon:
    svg = (ASSETS / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    made = QIcon()
    dim = mix(palette.muted, palette.panel, 0.5).name()
    for mode, state, colour in (
        (QIcon.Mode.Normal, QIcon.State.Off, palette.ink),
        (QIcon.Mode.Normal, QIcon.State.On, palette.on_accent),
        (QIcon.Mode.Disabled, QIcon.State.Off, dim),
    ):
        for size in _ICON_SIZES:
            made.addPixmap(render(svg.replace("currentColor", colour), size), mode, state)
    return made


def pixmap(name: str, size: int, colour: str) -> QPixmap:
    """Returns an icon of ``assets/icons`` in one colour."""

    svg = (ASSETS / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    return render(svg.replace("currentColor", colour), size)


def render(svg: str, size: int) -> QPixmap:
    """Returns a square picture of an SVG text."""

    made = QPixmap(size, size)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return made
