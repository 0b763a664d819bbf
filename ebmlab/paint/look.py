"""The look of what is painted: two palettes, and a scale for projectors."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QGuiApplication

from ebmlab.paint.threads import kept_by_thread


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

    def font(self, size: float = 12, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Returns the font of the interface at a size in pixels, with figures of equal width."""

        return QFont(_font(QGuiApplication.font().family(), self.px(size), weight))


@kept_by_thread(256)
def _font(family: str, pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont(family)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mix(colour: str, other: str, share: float) -> QColor:
    """Returns a share of the one colour over the other."""

    a, b = QColor(colour), QColor(other)
    parts = zip((a.red(), a.green(), a.blue()), (b.red(), b.green(), b.blue()))
    return QColor(*(round(share * p + (1 - share) * q) for p, q in parts))
