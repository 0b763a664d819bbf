from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.samplers import SAMPLERS, UnadjustedLangevin
from ebmlab.engine.targets import FormulaTarget, Gaussian, GaussianMixture, Points
from ebmlab.gui.form import Form
from ebmlab.session.recipe import Recipe
from ebmlab.spec import FAMILIES, amend, knobs
from ebmlab.spec.catalogue import note

EVERY = [(family, kind) for family in FAMILIES for kind in FAMILIES[family]]

# The offscreen platform says so of every window that has a least size.


@pytest.fixture
def form(qtbot):
    def make(component, **options):
        made = Form(component, **options)
        made.told = []
        made.edited.connect(made.told.append)
        qtbot.addWidget(made)
        return made

    return make


def type_in(field, text):
    field.setText(text)
    field.setModified(True)
    field.textEdited.emit(text)
    field.editingFinished.emit()


@pytest.mark.parametrize(("family", "kind"), EVERY)
def test_that_every_component_gets_a_form_with_all_its_knobs_but_the_bulky(form, family, kind):
    cls = FAMILIES[family][kind]
    made = form(cls())
    assert list(made.editors) == [name for name, _, k in knobs(cls) if not k.bulk]
    for name, _, k in knobs(cls):
        if not k.bulk:
            editor = made.findChild(QWidget, name, Qt.FindChildOption.FindDirectChildrenOnly)
            assert editor.value == getattr(cls(), name)
            assert k.help in editor.toolTip()
            assert note(k) in editor.toolTip()
            assert editor.accessibleName()
    assert not made.told


@pytest.mark.parametrize(("family", "kind"), EVERY)
def test_that_showing_another_value_tells_nobody_and_holds_it(form, family, kind):
    cls = FAMILIES[family][kind]
    made = form(cls())
    other = cls()
    for name, default, k in knobs(cls):
        if isinstance(default, float) and (k.soft or k.high is not None):
            low, high = k.soft or (k.low or 0.0, k.high)
            other = replace(other, **{name: (low + high) / 2})
    made.set_component(other)
    assert made.component == other
    assert all(editor.value == getattr(other, name) for name, editor in made.editors.items())
    assert not made.told


def test_that_moving_a_slider_tells_a_new_component_at_once_and_leaves_the_old(form):
    before = UnadjustedLangevin()
    made = form(before)
    editor = made.editors["step_size"]
    editor.slider.setValue(750)
    assert made.told == [replace(before, step_size=0.1)]
    assert editor.field.text() == "0.1"
    assert before == UnadjustedLangevin()


def test_that_a_number_may_be_typed_beyond_the_slider_within_the_bounds(form):
    made = form(UnadjustedLangevin())
    editor = made.editors["step_size"]
    type_in(editor.field, "7.5")
    assert made.told[-1].step_size == 7.5
    assert editor.slider.value() == editor.slider.maximum()


@pytest.mark.parametrize("text", ["11", "-1", "abc", "", "nan", "1e400"])
def test_that_a_wrong_number_is_marked_with_a_sentence_and_not_told(form, text):
    made = form(UnadjustedLangevin())
    editor = made.editors["step_size"]
    type_in(editor.field, text)
    assert not made.told
    assert editor.field.property("fault") is True
    assert "from 1e-06 to 10" in editor.field.toolTip()
    type_in(editor.field, "0.5")
    assert editor.field.property("fault") is False
    assert "ε" in editor.field.toolTip()
    assert made.told[-1].step_size == 0.5


def test_that_escape_takes_back_what_was_typed(form, qtbot):
    made = form(UnadjustedLangevin())
    field = made.editors["step_size"].field
    qtbot.keyClicks(field, "9")
    assert field.text() != "0.01"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "0.01"
    assert not made.told


def test_that_arrow_keys_in_a_field_move_the_slider(form, qtbot):
    made = form(UnadjustedLangevin())
    field = made.editors["temperature"].field
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert made.told[-1].temperature == 1.04
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert made.told[-1].temperature == 1.0


def test_that_a_knob_that_restarts_the_run_is_told_when_let_go_and_carries_a_mark(form):
    made = form(MLP())
    slider = made.editors["depth"].slider
    slider.setSliderDown(True)
    slider.setSliderPosition(5)
    assert not made.told
    assert made.editors["depth"].field.text() == "6"
    slider.setSliderDown(False)
    assert [c.depth for c in made.told] == [6]
    marks = {label.accessibleName() for label in made.findChildren(QLabel)}
    assert {"depth ↺", "confinement c"} <= marks


def test_that_a_whole_number_takes_no_fraction(form):
    made = form(MLP())
    type_in(made.editors["depth"].field, "2.5")
    assert not made.told
    type_in(made.editors["depth"].field, "3.0")
    assert made.told[-1].depth == 3


def test_that_editing_inside_a_part_tells_the_whole(form):
    before = PersistentContrastiveDivergence()
    made = form(before)
    made.findChild(QWidget, "sampler").findChild(QWidget, "step_size").slider.setValue(0)
    assert made.told == [replace(before, sampler=replace(before.sampler, step_size=1e-4))]
    assert made.component == made.told[-1]


def test_that_the_kind_of_a_part_can_be_changed_and_the_old_one_comes_back_as_it_was(form):
    made = form(PersistentContrastiveDivergence(sampler=UnadjustedLangevin(step_size=0.123)))
    editor = made.editors["sampler"]
    for kind in ("mala", "ula"):
        index = editor.header.combo.findData(kind)
        editor.header.combo.setCurrentIndex(index)
        editor.header.combo.activated.emit(index)
    assert made.told[0].sampler == SAMPLERS["mala"]()
    assert made.told[1].sampler.step_size == 0.123
    assert editor.form.component == made.told[1].sampler


def test_that_a_change_from_outside_reuses_the_widgets_and_keeps_the_focus(form, qtbot):
    made = form(Recipe(), names=("estimator",))
    made.show()
    field = made.editors["estimator"].form.editors["sampler"].form.editors["step_size"].field
    field.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is field)
    made.set_component(amend(Recipe(), "estimator.sampler.step_size", "0.5"))
    assert made.editors["estimator"].form.editors["sampler"].form.editors["step_size"].field is field
    assert QApplication.focusWidget() is field
    assert field.text() == "0.5"
    assert not made.told


def test_that_a_formula_is_judged_at_each_key_and_told_only_when_it_is_right(form, qtbot):
    made = form(FormulaTarget())
    editor = made.editors["expression"]
    editor.field.clear()
    qtbot.keyClicks(editor.field, "x**2+")
    assert not editor.fault.isHidden()
    assert editor.fault.text().endswith(".")
    assert not made.told
    qtbot.keyClicks(editor.field, "y**2")
    assert editor.fault.isHidden()
    qtbot.waitUntil(lambda: bool(made.told))
    assert made.told[-1].expression == "x**2+y**2"


def test_that_parameters_are_added_changed_and_removed_by_name(form):
    made = form(FormulaTarget())
    editor = made.editors["parameters"]
    editor.new.setText("k")
    editor.new.editingFinished.emit()
    assert made.told[-1].parameters == (("k", 1.0),)
    type_in(editor._rows["k"][1], "2")
    assert made.told[-1].parameters == (("k", 2.0),)
    editor._rows["k"][2].click()
    assert made.told[-1].parameters == ()


def test_that_a_reserved_parameter_name_is_refused_with_a_sentence(form):
    made = form(FormulaTarget())
    editor = made.editors["parameters"]
    editor.new.setText("x")
    editor.new.editingFinished.emit()
    assert not made.told
    assert "meaning of its own" in editor.new.toolTip()


def test_that_one_entry_of_a_covariance_brings_its_mirror_image_along(form):
    made = form(Gaussian())
    type_in(made.editors["covariance"]._fields[0, 1], "0.5")
    assert made.told[-1].covariance == ((1.0, 0.5), (0.5, 1.0))
    type_in(made.editors["covariance"]._fields[1, 0], "2")
    assert len(made.told) == 1
    assert "positive definite" in made.editors["covariance"]._fields[1, 0].toolTip()


def test_that_a_mixture_grows_and_shrinks_in_all_its_lists_at_once(form):
    made = form(GaussianMixture())
    made.findChild(QWidget, "lengthen-add").click()
    assert [len(v) for v in (made.told[-1].weights, made.told[-1].means, made.told[-1].covariances)] == [4, 4, 4]
    assert len(made.editors["covariances"]._fields) == 16
    made.findChild(QWidget, "lengthen-remove").click()
    assert made.told[-1] == GaussianMixture()


def test_that_a_normal_distribution_offers_no_new_entries(form):
    assert form(Gaussian()).findChild(QWidget, "lengthen-add") is None


def test_that_a_file_is_chosen_by_its_button(form):
    made = form(Points())
    editor = made.editors["path"]
    editor.choose = lambda: "/data/p.csv"
    editor.button.click()
    assert made.told[-1].path == "/data/p.csv"
    assert editor.field.text() == "/data/p.csv"


def test_that_log_z_methods_are_added_and_removed(form):
    made = form(Recipe(), names=("log_z",))
    editor = made.editors["log_z"]
    index = editor.add.findData("reverse-ais")
    editor.add.activated.emit(index)
    assert [m.kind for m in made.told[-1].log_z] == ["ais", "reverse-ais"]
    editor.parts[0].findChild(QWidget, "remove").click()
    assert [m.kind for m in made.told[-1].log_z] == ["reverse-ais"]
    editor.parts[0].findChild(QWidget, "remove").click()
    assert made.told[-1].log_z == ()


def test_that_the_page_of_a_component_opens_below_its_name(form):
    made = form(PersistentContrastiveDivergence())
    editor = made.editors["sampler"]
    assert editor.about.isHidden()
    editor.header.info.setChecked(True)
    assert not editor.about.isHidden()
    assert "Roberts & Tweedie" in editor.about.text.text().replace("&amp;", "&")
    assert "https://doi.org/10.2307/3318418" in editor.about.text.text()


@pytest.mark.parametrize(("width", "below"), [(240, True), (600, False)])
def test_that_a_kind_too_long_for_its_line_goes_below_the_title(form, qtbot, width, below):
    made = form(PersistentContrastiveDivergence())
    made.resize(width, 300)
    made.show()
    header = made.editors["sampler"].header
    qtbot.waitUntil(lambda: (header.combo.y() > header.title.y() + 5) is below)
    assert header.combo.fontMetrics().horizontalAdvance(header.combo.currentText()) < header.combo.width()
