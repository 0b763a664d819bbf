"""The look of the window: one style sheet in the colours of a palette, and icons that follow."""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import lru_cache
from string import Template

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from ebmlab.assets import assets
from ebmlab.paint.look import DARK, LIGHT, PALETTES, Palette, Theme, mix

__all__ = ["ASSETS", "DARK", "LIGHT", "PALETTES", "Palette", "Theme", "apply", "current", "icon", "mix", "signals"]

ASSETS = assets()

_ICON_SIZES = (16, 20, 24, 32, 48, 64)


@lru_cache(maxsize=16)
def stylesheet(theme: Theme) -> str:
    """Returns the style sheet in the colours of a palette; every length but hairlines follows the scale."""

    text = (ASSETS / "themes" / "lab.qss").read_text(encoding="utf-8")
    words = {**asdict(theme.palette), "accent": theme.palette.accent, "assets": ASSETS.as_posix()}
    text = Template(text).substitute(words)
    return re.sub(r"\b(\d+)px", lambda m: f"{theme.px(int(m[1]))}px" if m[1] not in "01" else m[0], text)


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
    app.setStyleSheet(stylesheet(theme))
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
