import numpy as np
import pytest
from fakes import RECIPE, snapshot
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from ebmlab.engine.oracle import Evaluation, Mode
from ebmlab.gui import theme
from ebmlab.gui.views.canvas import Canvas
from ebmlab.paint.shows import SHOWS
from ebmlab.session.snapshot import Lens, StageShown


@pytest.fixture
def canvas(qtbot):
    made = Canvas()
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    with qtbot.waitSignal(made.lens_changed, timeout=2000):
        pass
    made.show_snapshot(snapshot(made.lens))
    return made


def wheel(plane, at, turns):
    up = QPoint(0, 120 * turns)
    none, still = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, at, QPoint(), up, none, still, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(plane, event)


def drag(qtbot, plane, start, end, button=Qt.MouseButton.LeftButton):
    qtbot.mousePress(plane, button, pos=start)
    still = Qt.KeyboardModifier.NoModifier
    for at in (start + (end - start) / 2, end):
        event = QMouseEvent(QEvent.Type.MouseMove, at.toPointF(), at.toPointF(), button, button, still)
        QApplication.sendEvent(plane, event)
    qtbot.mouseRelease(plane, button, pos=end)


def colour_at(pane, x, y):
    plane = pane.plane
    at = plane.projection.pixel((x, y)).toPoint()
    return plane.grab().toImage().pixelColor(at)


def test_that_four_panes_begin_with_target_energy_model_and_difference(canvas):
    assert [pane.objectName() for pane in canvas.visible_panes] == ["pane-0", "pane-1", "pane-2", "pane-3"]
    assert [pane.kind for pane in canvas.panes] == ["target", "energy", "model", "difference"]


def test_that_a_double_click_on_a_header_fills_the_canvas_and_back(qtbot, canvas):
    qtbot.mouseDClick(canvas.panes[2].header, Qt.MouseButton.LeftButton)
    assert canvas.visible_panes == (canvas.panes[2],)
    assert not canvas.panes[0].isVisible()
    qtbot.mouseDClick(canvas.panes[2].header, Qt.MouseButton.LeftButton)
    assert canvas.visible_panes == canvas.panes
    assert all(pane.isVisible() for pane in canvas.panes)


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (2, (2, 1)), (4, (2, 2))])
def test_that_the_panes_of_a_layout_share_the_canvas_equally(qtbot, canvas, count, shape):
    canvas.set_layout(count)
    QApplication.processEvents()
    assert len(canvas.visible_panes) == count
    for pane in canvas.visible_panes:
        assert pane.width() == pytest.approx(canvas.width() / shape[0], abs=8)
        assert pane.height() == pytest.approx(canvas.height() / shape[1], abs=8)


def test_that_a_digit_chooses_what_the_active_pane_shows(qtbot, canvas):
    canvas.panes[1].activated.emit()
    for i, action in enumerate(canvas.commands.shows):
        assert action.shortcut().toString() == str(i + 1)
        action.trigger()
        assert canvas.panes[1].kind == list(SHOWS)[i]
        assert action.isChecked()
    assert canvas.panes[0].kind == "target"


def test_that_the_commands_tick_what_lies_over_the_active_pane(canvas):
    overlay = {action.objectName(): action for action in canvas.commands.overlays}
    canvas.panes[1].activated.emit()
    assert overlay["overlay-particles"].isChecked()
    overlay["overlay-modes"].trigger()
    assert "modes" in canvas.panes[1].overlays
    canvas.panes[0].activated.emit()
    assert not overlay["overlay-modes"].isChecked()


def test_that_the_lens_asks_for_nothing_that_no_pane_shows(qtbot, canvas):
    with qtbot.waitSignal(canvas.lens_changed):
        canvas.set_layout(1)
    assert canvas.lens.fields == {"target"}
    assert canvas.lens.particles == 0
    with qtbot.waitSignal(canvas.lens_changed):
        canvas.show_in_active("score")
    assert canvas.lens.fields == {"target", "score"}
    with qtbot.waitSignal(canvas.lens_changed):
        canvas.active_pane.set_overlay("particles", True)
    assert canvas.lens.particles > 0


def test_that_a_larger_pane_asks_for_a_finer_lattice(qtbot, canvas):
    small = canvas.lens.resolution
    with qtbot.waitSignal(canvas.lens_changed):
        canvas.set_layout(1)
    assert 64 <= small < canvas.lens.resolution <= 128


def test_that_a_unit_is_as_long_across_as_up(canvas):
    left, right, bottom, top = canvas.panes[0].plane.projection.window
    plane = canvas.panes[0].plane
    assert plane.width() / (right - left) == pytest.approx(plane.height() / (top - bottom))
    assert right - left >= 12 - 1e-9
    assert top - bottom >= 12 - 1e-9


def test_that_the_wheel_zooms_every_pane_about_the_cursor(qtbot, canvas):
    plane, at = canvas.panes[1].plane, QPointF(90, 60)
    before = plane.projection.plane(at)
    scale = plane.projection.scale
    with qtbot.waitSignal(canvas.lens_changed):
        wheel(plane, at, 2)
    assert plane.projection.plane(at) == pytest.approx(before)
    for pane in canvas.panes:
        assert pane.plane.projection.scale == pytest.approx(scale / 0.85**2, rel=0.02)
    assert canvas.lens.window[0] > -12


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton])
def test_that_a_drag_takes_the_plane_along(qtbot, canvas, button):
    plane = canvas.panes[0].plane
    before = plane.projection.plane(QPointF(100, 100))
    drag(qtbot, plane, QPoint(100, 100), QPoint(140, 80), button)
    assert plane.projection.plane(QPointF(140, 80)) == pytest.approx(before)
    assert canvas.panes[3].plane.projection.window == plane.projection.window


def test_that_the_zoom_can_be_undone(canvas):
    home = canvas.panes[0].plane.projection.window
    canvas.zoom(0.3, (1.0, 2.0))
    canvas.pan(3.0, 0.0)
    canvas.commands.reset_zoom.trigger()
    assert canvas.panes[0].plane.projection.window == pytest.approx(home)


def test_that_the_zoom_ends_before_numbers_do(canvas):
    for _ in range(400):
        canvas.zoom(0.5, (0.0, 0.0))
    left, right, _, _ = canvas.panes[0].plane.projection.window
    assert right - left > 1e-4
    for _ in range(400):
        canvas.zoom(2.0, (0.0, 0.0))
    left, right, _, _ = canvas.panes[0].plane.projection.window
    assert right - left < 1e7


def test_that_another_window_in_the_recipe_is_shown_at_once(canvas):
    recipe = type(RECIPE)(target=RECIPE.target, window=(0.0, 2.0, 0.0, 2.0), log_z=())
    canvas.show_snapshot(snapshot(Lens(window=(0.0, 2.0, 0.0, 2.0)), recipe=recipe))
    left, right, bottom, top = canvas.panes[0].plane.projection.window
    assert (left + right) / 2 == pytest.approx(1.0)
    assert min(right - left, top - bottom) == pytest.approx(2.0)


def test_that_a_density_is_bright_at_its_peak_and_fades_into_the_panel(canvas):
    canvas.panes[0].set_overlay("data", False)
    peak, plateau = colour_at(canvas.panes[0], 1.0, -0.5), colour_at(canvas.panes[0], -4.0, 4.0)
    assert plateau == QColor(theme.current().palette.panel)
    assert peak.blue() > peak.red() > plateau.red()
    peak = colour_at(canvas.panes[2], 0.0, 0.0)
    assert peak.red() > peak.blue()


def test_that_too_much_mass_is_red_and_too_little_blue(canvas):
    less, more = colour_at(canvas.panes[3], 1.0, -0.5), colour_at(canvas.panes[3], -0.8, 0.6)
    assert less.blue() > less.red()
    assert more.red() > more.blue()


def test_that_an_energy_without_a_normaliser_is_said_in_words_and_not_painted(canvas):
    canvas.show_snapshot(snapshot(canvas.lens, log_z=None, figures=Evaluation(normalisable=False)))
    for pane in canvas.panes[2:]:
        shown = pane.plane.painter.picture(canvas._shared.fields, theme.current())
        assert "cannot be normalised" in shown.note
        assert shown.field is None


def test_that_the_numbers_of_the_colour_bar_lie_over_the_particles(canvas):
    pane = canvas.panes[1]
    pane.set_overlay("contours", False)
    images = []
    for particles in (np.empty((0, 2)), np.random.default_rng(0).uniform(-9, 9, (20_000, 2))):
        canvas.show_snapshot(snapshot(canvas.lens, particles=particles))
        images.append(pane.plane.grab().toImage())
    bar = pane.plane.painter._backdrop._bar
    strip = [
        [image.pixelColor(pane.plane.width() - bar.width() + x, 13).lightness() for x in range(bar.width() - 6)]
        for image in images
    ]
    assert np.abs(np.subtract(*strip)).max() < 40


def test_that_contour_lines_follow_the_field_in_the_end(qtbot, canvas):
    plane = canvas.panes[1].plane
    for shift in (0.0, 0.5, 1.0):
        last = snapshot(canvas.lens)
        canvas.show_snapshot(snapshot(canvas.lens, energy=last.energy + shift))
        plane.grab()
    assert plane.painter._backdrop.late
    qtbot.waitUntil(lambda: not plane.painter._backdrop.late, timeout=2000)
    assert plane.painter._backdrop._lines._of[0] is canvas._shared.fields.snapshot.energy
    assert plane.painter._backdrop._bar_of[-1] == plane.painter._picture.bar


def test_that_the_field_is_not_painted_again_while_only_particles_move(canvas):
    first = snapshot(canvas.lens)
    canvas.show_snapshot(first)
    plane = canvas.panes[1].plane
    plane.painter._backdrop.forget()
    plane.grab()
    key = plane.painter._backdrop._image.cacheKey()
    canvas.show_snapshot(snapshot(canvas.lens, energy=first.energy, target=first.target, particles=np.zeros((5, 2))))
    plane.grab()
    assert plane.painter._backdrop._image.cacheKey() == key
    canvas.show_snapshot(snapshot(canvas.lens, energy=first.energy + 1, target=first.target))
    plane.grab()
    assert plane.painter._backdrop._image.cacheKey() != key


def test_that_particles_are_drawn_where_they_are(canvas):
    canvas.panes[2].set_overlay("particles", True)
    canvas.show_snapshot(snapshot(canvas.lens, particles=np.array([[-4.0, 3.0]]), energy=None))
    dot = colour_at(canvas.panes[2], -4.0, 3.0)
    ink = QColor(theme.current().palette.ink)
    assert abs(dot.lightness() - ink.lightness()) < 40
    assert colour_at(canvas.panes[2], -3.0, 3.0) == QColor(theme.current().palette.panel)


def test_that_trails_are_short_and_end_with_a_reset(canvas):
    for step in range(2, 12):
        canvas.show_snapshot(snapshot(canvas.lens, step=step, particles=np.full((3, 2), float(step))))
    assert [float(x[0, 0]) for x in canvas._shared.past] == [7, 8, 9, 10]
    canvas.show_snapshot(snapshot(canvas.lens, step=0))
    assert not canvas._shared.past


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 1e30])
def test_that_wild_numbers_are_painted_without_a_complaint(canvas, wild):
    n = canvas.lens.resolution
    field, points = np.full((n, n), wild), np.full((5, 2), wild)
    stage = StageShown(name="negatives", text="…", index=0, points=points, origin=points)
    for show in SHOWS:
        canvas.panes[1].show_kind(show)
        for name in ("contours", "score", "target-score", "particles", "modes"):
            canvas.panes[1].set_overlay(name, True)
        shown = snapshot(canvas.lens, energy=field, target=field, particles=points, negatives=points, stage=stage)
        with np.errstate(all="ignore"):
            canvas.show_snapshot(shown)
            canvas.show_snapshot(shown)
            canvas.panes[1].plane._under = True
            canvas._hover((0.1, 0.2))
            canvas.grab()


def test_that_an_exception_while_painting_reaches_the_excepthook_and_harms_nothing_else(qtbot, canvas, monkeypatch):
    plane = canvas.panes[0].plane
    monkeypatch.setattr(plane, "_paint", lambda *_: 1 / 0)
    with qtbot.captureExceptions() as caught:
        canvas.grab()
    assert caught[0][0] is ZeroDivisionError
    monkeypatch.undo()
    canvas.grab()


def test_that_modes_and_figures_are_shown(canvas):
    modes = (Mode(1.0, -0.5, 1.0, 0.25), Mode(2.0, 2.0, 0.1, None))
    figures = Evaluation(step=1, kl=0.0314, modes=modes)
    before = canvas.panes[2].plane.grab().toImage()
    canvas.panes[2].set_overlay("modes", True)
    canvas.show_snapshot(snapshot(canvas.lens, figures=figures))
    canvas._tell()
    assert canvas.panes[2].plane.grab().toImage() != before
    assert "KL 0.0314" in canvas.panes[3]._subtitle.text()


def test_that_every_pane_follows_the_theme(canvas, qapp):
    before = theme.current()
    try:
        for palette in (theme.LIGHT, theme.DARK):
            theme.apply(qapp, theme.Theme(palette=palette))
            for pane in canvas.panes[2:]:
                plateau = colour_at(pane, -5.0, 5.0).lightness()
                assert plateau == pytest.approx(QColor(palette.panel).lightness(), abs=12)
    finally:
        theme.apply(qapp, before)


def test_that_a_pane_says_what_it_is_to_a_screen_reader(canvas):
    for pane in canvas.panes:
        assert pane.accessibleName() == SHOWS[pane.kind].title
        assert pane.plane.accessibleDescription()
        assert pane.plane.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_that_the_menu_of_a_pane_offers_every_picture_and_overlay(canvas):
    pane = canvas.panes[0]
    pane._menu.aboutToShow.emit()
    texts = [action.text() for action in pane._menu.actions()]
    assert any("Score field" in text for text in texts)
    assert "Modes" in texts
    next(action for action in pane._menu.actions() if "Score field" in action.text()).trigger()
    assert pane.kind == "score"


def test_that_keys_move_and_zoom_the_plane(qtbot, canvas):
    plane = canvas.panes[0].plane
    left, right, _, _ = plane.projection.window
    qtbot.keyClick(plane, Qt.Key.Key_Right)
    assert plane.projection.window[0] > left
    qtbot.keyClick(plane, Qt.Key.Key_Plus)
    assert plane.projection.window[1] - plane.projection.window[0] < right - left
