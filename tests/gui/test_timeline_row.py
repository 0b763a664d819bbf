"""The timeline as a person uses it: dragged, played back, compared, named and forked, with a real run behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import LOG_Z, snapshot
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import ContrastiveDivergence, PersistentContrastiveDivergence
from ebmlab.gui.panels.moment import MomentEditor
from ebmlab.gui.views.rail import Rail
from ebmlab.gui.window import LabWindow
from ebmlab.paint.fields import Fields
from ebmlab.paint.shows import SHOWS
from ebmlab.session.orders import Advance, Pin
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Lens, Pinned
from ebmlab.session.timeline import Moment
from ebmlab.session.trace import Series

SMALL = Recipe(energy=MLP(width=4, depth=1), estimator=PersistentContrastiveDivergence(steps=1), batch=8, log_z=())
LEFT = Qt.MouseButton.LeftButton
STEPS = 120


@pytest.fixture(scope="module")
def shared(qapp):
    made = LabWindow(None)
    made.resize(1280, 800)
    made.furnish(SMALL)
    made.lab.filing.quiet = True
    made.show()
    for _ in range(300):
        if made.lab.snapshot is None:
            QTest.qWait(50)
    yield made
    made.close()
    made.deleteLater()
    QTest.qWait(0)


@pytest.fixture
def lab(shared, qtbot):
    """The lab at the present of a run of some steps, which is trained anew only if a test has changed it."""

    lab, snapshot = shared.lab, shared.lab.snapshot
    if (snapshot.end, snapshot.recipe, snapshot.moments, snapshot.status) != (STEPS, SMALL, (), "paused"):
        lab.sessions.begin(SMALL)
        qtbot.waitUntil(lambda: (lab.snapshot.end, lab.snapshot.recipe) == (0, SMALL), timeout=20000)
        lab.bridge.post(Advance(STEPS))
    lab.travel.seek(None)
    lab.bridge.post(Pin(None))
    at_rest = (STEPS, "paused", False, None)
    qtbot.waitUntil(lambda: resting(lab.snapshot) == at_rest, timeout=20000)
    return lab


def resting(snapshot):
    return snapshot.end, snapshot.status, snapshot.past, snapshot.pinned


@pytest.fixture
def scrubber(lab):
    return lab.timeline.scrubber


def click(scrubber, step):
    QTest.mouseClick(scrubber, LEFT, pos=QPoint(round(scrubber.place(step)), scrubber.height() - 8))


def shown(lab, step):
    return lambda: lab.snapshot.past and lab.snapshot.step == step


def test_that_a_click_shows_the_run_as_it_was_and_escape_the_present(lab, scrubber, qtbot):
    now = lab.snapshot.energy
    click(scrubber, 60)
    qtbot.waitUntil(shown(lab, 60), timeout=20000)
    assert lab.past.isVisible()
    assert scrubber.words[0] == f"step 60 of {STEPS} · the past"
    assert not np.array_equal(lab.snapshot.energy, now)
    QTest.keyClick(lab.window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not lab.snapshot.past, timeout=20000)
    assert not lab.past.isVisible()
    np.testing.assert_array_equal(lab.snapshot.energy, now)


def test_that_dragging_never_has_more_than_one_order_under_way(lab, scrubber, qtbot, monkeypatch):
    posted = []
    post = lab.bridge.post
    monkeypatch.setattr(lab.bridge, "post", lambda order: (posted.append(order), post(order)))
    QTest.mousePress(scrubber, LEFT, pos=QPoint(round(scrubber.place(10)), 30))
    for step in range(12, 101, 2):
        lab.travel.seek(step)
    assert len(posted) == 1
    QTest.mouseRelease(scrubber, LEFT, pos=QPoint(round(scrubber.place(100)), 30))
    qtbot.waitUntil(shown(lab, 100), timeout=20000)
    assert len(posted) < 5


def test_that_keys_go_from_kept_step_to_kept_step(lab, scrubber, qtbot):
    scrubber.setFocus()
    before = lab.canvas.rectangle
    lab.canvas.zoom(0.5, (0, 0))
    zoomed = lab.canvas.rectangle
    QTest.keyClick(scrubber, Qt.Key.Key_Home)
    qtbot.waitUntil(shown(lab, 0), timeout=20000)
    assert lab.canvas.rectangle == zoomed, "Home is the timeline's while it has the focus"
    QTest.keyClick(scrubber, Qt.Key.Key_Right)
    qtbot.waitUntil(shown(lab, 1), timeout=20000)
    QTest.keyClick(scrubber, Qt.Key.Key_PageDown)
    qtbot.waitUntil(shown(lab, 11), timeout=20000)
    QTest.keyClick(scrubber, Qt.Key.Key_Left)
    qtbot.waitUntil(shown(lab, 10), timeout=20000)
    QTest.keyClick(scrubber, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: not lab.snapshot.past, timeout=20000)
    lab.canvas.show_rectangle(before)


def test_that_training_goes_on_behind_the_past(lab, scrubber, qtbot):
    lab.steering.run(True)
    click(scrubber, 20)
    qtbot.waitUntil(lambda: lab.snapshot.past, timeout=20000)
    step, end = lab.snapshot.step, lab.snapshot.end
    qtbot.waitUntil(lambda: lab.snapshot.end > end + 3, timeout=20000)
    assert (lab.snapshot.past, lab.snapshot.step, lab.snapshot.status) == (True, step, "running")
    lab.steering.run(False)
    qtbot.waitUntil(lambda: lab.snapshot.status == "paused", timeout=20000)


def test_that_a_run_is_played_back_to_the_present(lab, qtbot):
    lab.timeline.lengths.actions()[0].trigger()
    seen = set()
    lab.bridge.arrived.connect(lambda s: seen.add(s.step) if s.past else None)
    lab.travel._started = 0.0
    lab.window.actions_["play-back"].trigger()
    lab.travel._started -= 3.5  # some seconds of it are enough
    qtbot.waitUntil(lambda: not lab.window.actions_["play-back"].isChecked(), timeout=20000)
    qtbot.waitUntil(lambda: not lab.snapshot.past, timeout=20000)
    assert len(seen) > 2
    assert sorted(seen)[-1] > STEPS / 2


def test_that_two_steps_are_compared_until_it_is_asked_again(lab, scrubber, qtbot):
    compare = lab.window.actions_["compare"]
    click(scrubber, 40)
    qtbot.waitUntil(shown(lab, 40), timeout=20000)
    QTest.keyClick(lab.window, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: lab.snapshot.pinned is not None, timeout=20000)
    lab.travel.seek(None)
    qtbot.waitUntil(lambda: not lab.snapshot.past and lab.snapshot.pinned.step == 40, timeout=20000)
    assert "step 40" in scrubber.words[1]
    assert compare.isChecked()
    QTest.keyClick(lab.window, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: lab.snapshot.pinned is None, timeout=20000)
    assert not compare.isChecked()


def test_that_the_change_is_the_density_less_that_of_the_step_compared_with():
    wide = snapshot(Lens(resolution=64))
    pinned = Pinned(step=3, energy=wide.energy * 2, log_z=LOG_Z)
    fields = Fields(replace(wide, pinned=pinned))
    shown = SHOWS["change"].picture(fields, True)
    np.testing.assert_allclose(shown.field, fields.model - np.exp(-2 * wide.energy - LOG_Z))
    assert "press C" in SHOWS["change"].picture(Fields(wide), True).note


def test_that_a_step_is_named_and_the_name_removed(lab, scrubber, qtbot):
    click(scrubber, 50)
    qtbot.waitUntil(shown(lab, 50), timeout=20000)
    QTest.keyClick(lab.window, Qt.Key.Key_N)
    editor = lab.window.findChild(MomentEditor)
    QTest.keyClicks(editor.name, "two wells")
    QTest.keyClicks(editor.note, "the saddle opens")
    QTest.keyClick(editor.note, Qt.Key.Key_Return)
    named = (Moment(50, "two wells", "the saddle opens"),)
    qtbot.waitUntil(lambda: lab.snapshot.moments == named, timeout=20000)
    scrubber.setFocus()
    QTest.keyClick(scrubber, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: lab.snapshot.moments == (), timeout=20000)


def test_that_escape_leaves_a_step_without_the_name_it_did_not_have(lab, scrubber, qtbot):
    click(scrubber, 50)
    qtbot.waitUntil(shown(lab, 50), timeout=20000)
    QTest.keyClick(lab.window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: len(lab.snapshot.moments) == 1, timeout=20000)
    QTest.keyClick(lab.window.findChild(MomentEditor).name, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: lab.snapshot.moments == (), timeout=20000)


def test_that_a_fork_goes_on_from_the_past_with_the_recipe_of_that_step(lab, scrubber, qtbot):
    other = replace(SMALL, estimator=ContrastiveDivergence(steps=1))
    lab.document.set(other, "Change estimator")
    lab.bridge.post(Advance(10))
    qtbot.waitUntil(lambda: lab.snapshot.end == STEPS + 10, timeout=20000)
    ended = []
    lab.bridge.captured.connect(lambda capture: ended.append(capture.run.step))
    click(scrubber, 80)
    qtbot.waitUntil(lambda: lab.snapshot.past and 70 < lab.snapshot.step <= 80, timeout=20000)
    assert lab.snapshot.recipe == SMALL
    step = lab.snapshot.step
    lab.window.actions_["fork"].trigger()
    qtbot.waitUntil(lambda: not lab.snapshot.past and lab.snapshot.end == step, timeout=20000)
    assert (lab.snapshot.status, lab.document.recipe, ended) == ("paused", SMALL, [STEPS + 10])
    lab.window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: lab.snapshot.recipe == other, timeout=20000)
    assert lab.snapshot.end == step, "the other estimator goes on from the fork"


def test_that_the_actions_of_the_timeline_are_there_when_they_mean_something(lab, scrubber, qtbot):
    actions = lab.window.actions_
    assert not actions["fork"].isEnabled()
    assert not actions["now"].isEnabled()
    click(scrubber, 50)
    qtbot.waitUntil(lambda: lab.snapshot.past, timeout=20000)
    assert actions["fork"].isEnabled()
    assert actions["now"].isEnabled()
    actions["now"].trigger()
    qtbot.waitUntil(lambda: not lab.snapshot.past, timeout=20000)


RAIL = Rail(end=100, kept=(0, 10, 20, 50, 90), moments=(Moment(20, "a"), Moment(50, "b")))


@pytest.mark.parametrize(("step", "near"), [(-5, 0), (4, 0), (16, 20), (89, 90), (99, 90), (100, None), (300, None)])
def test_that_a_place_means_the_nearest_kept_step_and_the_end_the_present(step, near):
    assert RAIL.nearest(step) == near


@pytest.mark.parametrize(
    ("step", "places", "there"), [(20, 1, 50), (20, -1, 10), (15, 1, 20), (15, -1, 10), (90, 1, None), (0, -1, 0)]
)
def test_that_a_kept_step_lies_beside_another(step, places, there):
    assert RAIL.beside(step, places) == there


def test_that_names_are_gone_to_one_after_the_other():
    assert (RAIL.moment_beside(0, True), RAIL.moment_beside(20, True), RAIL.moment_beside(50, True)) == (20, 50, None)
    assert (RAIL.moment_beside(100, False), RAIL.moment_beside(20, False)) == (50, 0)


def test_that_the_curve_is_kl_where_it_is_known_else_nll():
    columns = ("step", "kl", "nll")
    rows = np.array([[0.0, 2.0, 5.0], [50, 0.2, 4], [100, 0.02, 3]])
    rail = replace(RAIL, exact=Series(columns, rows))
    np.testing.assert_allclose(rail.curve(50), [[0, 1], [0.5, 0.5], [1, 0]])
    assert rail.figure(70) == ("KL", 0.2)
    unknown = rows.copy()
    unknown[:, 1] = np.nan
    assert replace(RAIL, exact=Series(columns, unknown)).figure(70) == ("NLL", 4.0)
    assert RAIL.figure(70) is None
    assert len(RAIL.curve(50)) == 0
