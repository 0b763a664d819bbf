from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSlider, QWidget

from ebmlab.engine.targets import TARGETS, Points, Ring, Stamp
from ebmlab.gui import equations, theme
from ebmlab.gui.document import Document
from ebmlab.gui.panels.drawing import TOOLS, DrawingPanel, ready, thumbnail
from ebmlab.gui.panels.recipe import RecipePanel
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.spec import amend, knobs

# The offscreen platform says so of every window that has a least size.


@pytest.fixture
def panel(qtbot):
    made = RecipePanel(Recipe())
    qtbot.addWidget(made)
    return made


@pytest.fixture
def drawing(qtbot):
    made = DrawingPanel()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def wired(panel):
    """A panel and a document that follow each other, as in the window."""

    document = Document(Recipe())
    panel.edited.connect(document.set)
    panel.finished.connect(document.seal)
    document.changed.connect(panel.show_recipe)
    return panel, document


def slider(panel, *way):
    widget = panel
    for name in way:
        widget = widget.findChild(QWidget, name)
    return widget.slider


def test_that_the_panel_holds_every_knob_of_a_recipe(panel):
    assert {name for form in panel.forms for name in form.editors} == {name for name, _, _ in knobs(Recipe)}


def test_that_a_slider_deep_inside_gives_a_new_recipe_with_its_path(panel, qtbot):
    with qtbot.waitSignal(panel.edited) as told:
        slider(panel, "estimator", "sampler", "step_size").setValue(750)
    recipe, label, key = told.args
    assert recipe == amend(Recipe(), "estimator.sampler.step_size", "0.1")
    assert (label, key) == ("Change step size", "estimator.sampler.step_size")


def test_that_a_slider_typesets_nothing(panel, monkeypatch):
    monkeypatch.setattr(equations, "typeset", pytest.fail)
    slider(panel, "estimator", "sampler", "step_size").setValue(750)
    assert panel.recipe.estimator.sampler.step_size == 0.1


def test_that_a_drag_is_undone_in_one_go_and_the_panel_follows(wired):
    panel, document = wired
    handle = slider(panel, "sampler", "temperature")
    for place in (300, 400, 500):
        handle.setValue(place)
    handle.sliderReleased.emit()
    handle.setValue(600)
    assert document.recipe.sampler.temperature == 2.4
    document.undo()
    assert panel.recipe.sampler.temperature == document.recipe.sampler.temperature == 2.0
    document.undo()
    assert document.recipe == panel.recipe == Recipe()
    assert handle.value() == 250


def test_that_a_recipe_from_elsewhere_is_shown_and_not_told_back(panel):
    told = []
    panel.edited.connect(lambda *args: told.append(args))
    other = replace(amend(Recipe(), "estimator", "dsm"), batch=32, target=Ring(), log_z=())
    panel.show_recipe(other)
    assert panel.target.header.combo.currentData() == "ring"
    assert panel.estimator.header.combo.currentData() == "dsm"
    assert panel.optimizer.findChild(QWidget, "batch").field.text() == "32"
    assert panel.log_z_summary.accessibleName() == "none"
    assert not told


def test_that_edits_in_two_sections_add_up(panel):
    slider(panel, "batch").setValue(0)
    slider(panel, "optimizer", "rate").setValue(500)
    assert (panel.recipe.batch, panel.recipe.optimizer.rate) == (16, 1e-3)
    assert all(form.component == panel.recipe for form in panel.forms)


def test_that_a_window_turned_inside_out_is_refused(panel):
    editor = panel.data.editors["window"]
    field = editor._fields[(0,)]
    field.setText("9")
    field.setModified(True)
    field.editingFinished.emit()
    assert panel.recipe == Recipe()
    assert "left must be below right" in field.toolTip().lower()


def test_that_the_number_of_parameters_is_shown(panel):
    panel.show_snapshot(Snapshot(step=0, recipe=Recipe(), lens=Lens(), parameters=17025))
    assert panel.matcher.text.accessibleName() == "17,025 parameters"


def test_that_every_control_is_named_for_screen_readers(panel):
    for kind in (QAbstractButton, QComboBox, QLineEdit, QSlider):
        unnamed = [w for w in panel.findChildren(kind) if not w.accessibleName() and not w.isHidden()]
        assert not unnamed


def test_that_the_panel_fits_into_its_column(panel, qtbot):
    panel.resize(276, 800)
    panel.show()
    qtbot.waitExposed(panel)
    assert panel.widget().width() <= panel.viewport().width()
    assert panel.horizontalScrollBar().maximum() == 0


def test_that_a_ready_target_becomes_the_target(panel, qtbot):
    with qtbot.waitSignal(panel.edited) as told:
        panel.drawing.findChild(QWidget, "target-ring").click()
    assert told.args[0].target == Ring()
    assert panel.target.header.combo.currentData() == "ring"


def test_that_one_tool_is_in_hand_at_a_time_and_a_second_click_lays_it_down(drawing):
    told = []
    drawing.tool_chosen.connect(told.append)
    drawing.buttons["brush"].click()
    drawing.buttons["eraser"].click()
    assert [name for name, b in drawing.buttons.items() if b.isChecked()] == ["eraser"]
    drawing.buttons["eraser"].click()
    assert told == ["brush", "eraser", ""]


@pytest.mark.parametrize("tool", TOOLS)
def test_that_a_tool_tells_radius_and_strength_as_its_mark_has_them(drawing, qtbot, tool):
    with qtbot.waitSignal(drawing.settings_changed) as told:
        drawing.choose(tool)
    mark = TOOLS[tool][0]
    wanted = (0.5, mark.weight) if isinstance(mark, Stamp) else (mark.radius, getattr(mark, "strength", 1.0))
    assert tuple(told.args) == wanted


def test_that_the_sliders_of_a_tool_tell_its_settings(drawing, qtbot):
    drawing.choose("brush")
    with qtbot.waitSignal(drawing.settings_changed) as told:
        drawing.forms["brush"].editors["radius"].slider.setValue(1000)
    assert told.args == [2.0, 1.0]


def test_that_import_is_asked_for(drawing, qtbot):
    with qtbot.waitSignal(drawing.import_requested):
        drawing.importer.click()


def test_that_ready_targets_need_no_file_and_all_have_a_picture(qapp):
    found = list(ready())
    assert not any(isinstance(target, Points) for target in found)
    assert len(found) >= 6
    for target in found:
        assert target.kind in TARGETS
        image = thumbnail(target, 24, theme.DARK).toImage()
        assert image.pixelColor(0, 0).name() == theme.DARK.panel
        assert any(image.pixelColor(x, y).name() == theme.DARK.blue for x in range(24) for y in range(24))


def test_that_the_picture_of_a_target_is_upright(qapp):
    from ebmlab.engine.targets import Gaussian

    image = thumbnail(Gaussian(mean=(0.0, 4.0)), 24, theme.LIGHT).toImage()
    assert image.pixelColor(12, 3).blue() > image.pixelColor(12, 3).red()
    assert image.pixelColor(12, 20).name() == theme.LIGHT.panel


def test_that_pictures_are_painted_once_the_panel_is_seen(drawing, qtbot):
    drawing.show()
    qtbot.waitUntil(lambda: all(not b.icon().isNull() for _, b in drawing.ready.buttons), timeout=10_000)
