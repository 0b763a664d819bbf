from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor

from ebmlab.engine.oracle import Evaluation
from ebmlab.gui import theme
from ebmlab.gui.views.canvas import Canvas
from ebmlab.gui.views.chart import Chart
from ebmlab.paint.chart import ChartPainter
from ebmlab.paint.charts import CHARTS
from ebmlab.paint.figures import lens_of
from ebmlab.paint.film import array
from ebmlab.paint.layout import Layout, columns
from ebmlab.paint.look import DARK, LIGHT, Theme
from ebmlab.paint.page import Page
from ebmlab.paint.plane import PlanePainter, Shared
from ebmlab.paint.scene import STILL, Scene
from ebmlab.paint.shapes import drawing
from ebmlab.paint.shows import SHOWS
from ebmlab.paint.spans import clipped
from ebmlab.spec import BadInput

from PySide6.QtGui import QImage  # isort: skip


def blank(page):
    image = QImage(page.width, page.height, QImage.Format.Format_RGB32)
    image.fill(QColor(page.theme.palette.panel))
    return image


def scene_of(reel, step=60, **given):
    layout = Layout(**given)
    scene = Scene(layout, reel.recipe_at(step).window)
    return scene, reel.snapshot(step, scene.lens)


def picture(reel, step=60, **given):
    scene, shown = scene_of(reel, step, **given)
    return array(scene.image(shown))


@pytest.fixture
def canvas(qtbot):
    made = Canvas()
    qtbot.addWidget(made)
    made.set_layout(1)
    made.resize(420, 380)
    made.show()
    with qtbot.waitSignal(made.lens_changed, timeout=2000):
        pass
    return made


@pytest.mark.parametrize("kind", SHOWS)
def test_that_a_pane_of_the_window_and_one_of_a_film_are_the_same_pixels(canvas, reel, kind):
    canvas.show_in_active(kind)
    pane = canvas.active_pane
    pane.set_overlay("data", True)
    pane.set_overlay("modes", True)
    for step in (50, 60):
        shown = reel.snapshot(step, replace(canvas.lens, fields=frozenset({"energy", "target", "score"})))
        canvas.show_snapshot(shown)
    plane = pane.plane
    shared = Shared(window=canvas._shared.window)
    for step in (50, 60):
        shared.take(reel.snapshot(step, shown.lens))
        if kind == "samples":
            shared.histogram.count(shared.fields.snapshot)
    painter = PlanePainter(shared)
    painter.show_kind(kind)
    painter.overlays = plane.overlays
    page = Page(plane.width(), plane.height(), theme.current())
    image = blank(page)
    with drawing(image) as on:
        painter.paint(on, page)
    window = array(plane.grab().toImage())
    height = page.height - page.theme.px(8)  # below, the window rounds the frame off
    assert (array(image)[:height] == window[:height]).all()


@pytest.mark.parametrize("name", CHARTS)
def test_that_a_chart_of_the_window_and_one_of_a_film_are_the_same_pixels(qtbot, reel, name):
    widget = Chart(CHARTS[name]())
    qtbot.addWidget(widget)
    widget.resize(420, 240)
    widget.show()
    shown = reel.snapshot(60, lens_of(Layout(), (-6.0, 6.0, -6.0, 6.0)))
    widget.take(shown, 60)
    widget.redraw()
    plot = widget._plot
    painter = ChartPainter(CHARTS[name]())
    painter.plot.page = Page(plot.width(), plot.height(), theme.current())
    painter.read(shown, 60)
    painter.arrange()
    image = blank(painter.plot.page)
    with drawing(image) as on:
        painter.plot.paint(on)
    window = array(plot.grab().toImage())
    if painter.some:  # what stands in an empty chart is a label of the window's
        assert (array(image) == window).all()


def test_that_a_picture_has_the_size_asked_for_whatever_the_scale(reel):
    for size in ((640, 360), (1279, 719), (1920, 1080), (3840, 2160)):
        assert picture(reel, size=size, columns=columns("energy")).shape == (size[1], size[0], 3)


def test_that_a_larger_picture_shows_the_same_finer(reel):
    small, large = (picture(reel, size=size, columns=columns("target~data")) for size in ((640, 360), (1280, 720)))
    blocks = large.reshape(360, 2, 640, 2, 3).mean((1, 3))
    assert np.abs(blocks[60:300, 40:600] - small[60:300, 40:600]).mean() < 6


def test_that_caption_formula_and_figures_are_said_only_when_asked_for(reel):
    bare = picture(reel, figures=False)
    for given in ({"caption": "PCD"}, {"formula": True}, {"figures": True}, {"axes": True}):
        assert (picture(reel, **{"figures": False, **given}) != bare).any(), given


def test_that_a_picture_is_dark_or_light(reel):
    dark, light = (picture(reel, theme=Theme(palette=p)) for p in (DARK, LIGHT))
    assert tuple(dark[0, 0]) == QColor(DARK.background).getRgb()[:3]
    assert tuple(light[0, 0]) == QColor(LIGHT.background).getRgb()[:3]


def test_that_the_lens_asks_for_what_the_panes_show_and_nothing_else():
    def lens(text):
        return lens_of(Layout(columns=columns(text)), (-6.0, 6.0, -6.0, 6.0))

    assert lens("energy|log-z").fields == {"energy", "target"}
    assert lens("energy|log-z").particles > 0
    assert lens("energy~particles").particles == 0
    assert lens("score").fields == {"score", "target"}
    assert lens("likelihood").fields == frozenset()


def test_that_axes_fixed_at_the_end_stay_while_the_curves_grow(reel):
    scene, last = scene_of(reel, columns=columns("objective"))
    scene.fix(last)
    (chart,) = scene._bodies
    before = chart.painter.plot.x, chart.painter.plot.y
    for step in (10, 30, 60):
        scene.image(reel.snapshot(step, scene.lens))
        assert (chart.painter.plot.x, chart.painter.plot.y) == before
    assert before[0][1] == 60


def test_that_a_layout_without_room_is_refused_in_words():
    with pytest.raises(BadInput, match="finds no room in 100x100"):
        Scene(Layout(columns=columns("panes"), size=(100, 100)), (-6.0, 6.0, -6.0, 6.0))


def test_that_an_energy_without_a_normaliser_is_said_and_not_painted(reel):
    scene, shown = scene_of(reel, columns=columns("model"))
    none = replace(shown, log_z=None, figures=Evaluation(step=60, normalisable=False))
    assert (array(scene.image(none)) != array(scene.image(shown))).any()


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 1e30])
def test_that_wild_numbers_are_painted_without_a_complaint(reel, wild):
    scene, shown = scene_of(reel, columns=columns("surface+data+modes,energy|model,difference"), size=(800, 600))
    field = np.full_like(shown.energy, wild)
    points = np.full((5, 2), wild)
    with np.errstate(all="ignore"):
        for _ in range(2):
            scene.image(replace(shown, energy=field, target=field, particles=points, data=points))


def test_that_the_same_snapshots_give_the_same_pictures(reel):
    def film():
        scene, _ = scene_of(reel, columns=columns("surface,energy|log-z"), size=(640, 480))
        return [array(scene.image(reel.snapshot(step, scene.lens))) for step in (20, 40, 60)]

    assert all((a == b).all() for a, b in zip(film(), film()))


def test_that_turning_the_camera_moves_surfaces_and_nothing_else(reel):
    scene, shown = scene_of(reel, columns=columns("surface|energy"), size=(800, 400))
    before = array(scene.image(shown))
    scene.turn(40)
    after = array(scene.image(shown))
    changed = np.flatnonzero((before != after).any((0, 2)))
    assert len(changed)
    assert changed.max() < 400
    assert scene.shared.camera.azimuth == pytest.approx(Shared().camera.azimuth + 40)


def test_that_nothing_of_a_still_is_late():
    assert (STILL.lines, STILL.bar) == (0, 0)


def test_that_lines_are_cut_off_at_a_box():
    line = np.array([[-1.0, 0.5], [0.5, 0.5], [0.5, 2.0], [0.8, 0.5], [2.0, 0.5]])
    pieces = clipped(line, (0.0, 1.0, 0.0, 1.0))
    assert len(pieces) == 2
    np.testing.assert_allclose(pieces[0], [[0, 0.5], [0.5, 0.5], [0.5, 1.0]])
    np.testing.assert_allclose(pieces[1], [[0.7, 1.0], [0.8, 0.5], [1.0, 0.5]])
    assert clipped(line + 10, (0.0, 1.0, 0.0, 1.0)) == []
    assert len(clipped(line, (-9.0, 9.0, -9.0, 9.0))[0]) == 5
