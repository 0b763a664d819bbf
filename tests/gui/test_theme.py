from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon

from ebmlab.gui import theme

ICONS = sorted(path.stem for path in (theme.ASSETS / "icons").glob("*.svg"))


@pytest.fixture
def dressed(qapp):
    """The application, which gets its own look back afterwards."""

    before = qapp.style().objectName(), qapp.palette(), qapp.font(), qapp.styleSheet(), theme.current()
    yield qapp
    qapp.setStyle(before[0])
    qapp.setPalette(before[1])
    qapp.setFont(before[2])
    qapp.setStyleSheet(before[3])
    theme._current = before[4]


def luminance(colour):
    def linear(c):
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    c = QColor(colour)
    return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF())


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", list(theme.PALETTES.values()), ids=lambda p: p.name)
def test_that_texts_stand_out_from_every_surface(palette):
    surfaces = palette.background, palette.panel, palette.raised
    assert all(contrast(palette.ink, s) > 7 for s in surfaces)
    assert all(contrast(palette.muted, s) > 4 for s in surfaces)
    assert all(contrast(c, palette.panel) > 3 for c in (palette.blue, palette.orange, palette.violet, palette.red))
    assert contrast(palette.on_accent, palette.accent) > 4.5


def test_that_the_palettes_are_those_of_the_sketches():
    assert (theme.DARK.background, theme.DARK.blue, theme.DARK.orange) == ("#15171b", "#58a6ff", "#f0a04b")
    assert (theme.LIGHT.background, theme.LIGHT.blue, theme.LIGHT.orange) == ("#f4f5f7", "#1f6fd0", "#c76a08")


@pytest.mark.parametrize("palette", list(theme.PALETTES.values()), ids=lambda p: p.name)
def test_that_the_style_sheet_leaves_no_word_unfilled_and_names_files_that_exist(palette):
    text = theme.stylesheet(theme.Theme(palette=palette))
    assert "$" not in text
    files = re.findall(r"url\(([^)]*)\)", text)
    assert files
    assert all(Path(file).read_text().startswith("<svg") for file in files)


def test_that_lengths_follow_the_scale_and_hairlines_do_not():
    small, large = theme.stylesheet(theme.Theme()), theme.stylesheet(theme.Theme(scale=2.0))
    assert "border-radius: 6px" in small
    assert "border-radius: 12px" in large
    assert large.count("1px solid") == small.count("1px solid") > 0


def test_that_applying_a_theme_tells_those_that_paint_for_themselves(dressed, qtbot):
    wanted = theme.Theme(palette=theme.LIGHT, scale=1.25)
    with qtbot.waitSignal(theme.signals.changed) as told:
        theme.apply(dressed, wanted)
    assert told.args == [wanted]
    assert theme.current() is wanted
    assert dressed.font().pixelSize() == 15
    assert dressed.palette().windowText().color().name() == theme.LIGHT.ink


@pytest.mark.parametrize("palette", list(theme.PALETTES.values()), ids=lambda p: p.name)
@pytest.mark.parametrize("name", ICONS)
def test_that_an_icon_is_drawn_in_the_ink_of_its_palette(qapp, name, palette):
    image = theme.icon(name, palette).pixmap(QSize(48, 48)).toImage()
    solid = [c for x, y in product(range(48), range(48)) if (c := image.pixelColor(x, y)).alpha() > 200]
    assert solid
    ink = QColor(palette.ink)
    for c in solid:  # what is half transparent is rounded
        assert max(abs(c.red() - ink.red()), abs(c.green() - ink.green()), abs(c.blue() - ink.blue())) <= 2


def test_that_an_icon_turns_to_the_inverse_ink_while_it_is_on(qapp):
    image = theme.icon("good", theme.DARK).pixmap(QSize(24, 24), QIcon.Mode.Normal, QIcon.State.On).toImage()
    assert image.pixelColor(12, 12).name() == theme.DARK.on_accent


def test_that_mixing_goes_from_one_colour_to_the_other():
    assert theme.mix("#000000", "#ffffff", 1.0).name() == "#000000"
    assert theme.mix("#000000", "#ffffff", 0.0).name() == "#ffffff"
    assert theme.mix("#000000", "#ffffff", 0.6).name() == "#666666"
