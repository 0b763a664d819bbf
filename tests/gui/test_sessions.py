"""Sessions in the window: saved, opened where they stood, and what becomes of runs that end."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.gui import keeper
from ebmlab.gui.arrangement import arrange, arrangement
from ebmlab.gui.keeper import thin
from ebmlab.gui.window import LabWindow
from ebmlab.session.archive import load_run
from ebmlab.session.orders import Advance, Name
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.timeline import Moment

SMALL = Recipe(energy=MLP(width=4, depth=1), estimator=PersistentContrastiveDivergence(steps=1), batch=8, log_z=())


@pytest.fixture(scope="module")
def shared(qapp, tmp_path_factory):
    made = LabWindow(QSettings(str(tmp_path_factory.mktemp("settings") / "lab.ini"), QSettings.Format.IniFormat))
    made.resize(1280, 800)
    made.furnish(SMALL)
    made.show()
    for _ in range(300):
        if made.lab.snapshot is None:
            QTest.qWait(50)
    yield made
    made.lab.filing.quiet = True
    made.close()
    made.deleteLater()
    QTest.qWait(0)


@pytest.fixture
def lab(shared, qtbot):
    """The lab at the first step of an untitled document."""

    lab = shared.lab
    settled(lab, qtbot)
    lab.sessions.begin(SMALL)
    qtbot.waitUntil(lambda: (lab.snapshot.end, lab.snapshot.recipe) == (0, SMALL), timeout=20000)
    settled(lab, qtbot)
    shared.error_bar.clear()
    return lab


def settled(lab, qtbot):
    qtbot.waitUntil(lambda: not lab.sessions.scribe.busy and not lab.sessions._saving, timeout=20000)


def train(lab, qtbot, steps):
    end = lab.snapshot.end + steps
    lab.bridge.post(Advance(steps))
    qtbot.waitUntil(lambda: lab.snapshot.end == end and lab.snapshot.status == "paused", timeout=20000)


def save(lab, qtbot, path):
    lab.sessions.save(path)
    settled(lab, qtbot)
    return path


def reopen(lab, qtbot, path):
    """Begins something else, and then opens a file again."""

    lab.sessions.begin(replace(SMALL, seed=5))
    qtbot.waitUntil(lambda: lab.snapshot.recipe.seed == 5, timeout=20000)
    assert lab.filing.open(str(path))
    qtbot.waitUntil(lambda: lab.snapshot.recipe == SMALL and lab.snapshot.end > 0, timeout=20000)


def test_that_an_untitled_document_is_saved_as_a_session_with_all_that_belongs_to_it(lab, qtbot, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        QFileDialog,
        "getSaveFileName",
        lambda *args: (asked.append(args), (str(tmp_path / "mine"), args[3].split(";;")[0]))[1],
    )
    train(lab, qtbot, 30)
    lab.bridge.post(Name(Moment(10, "ten", "steps")))
    lab.window.actions_["save"].trigger()
    settled(lab, qtbot)
    assert asked[0][3].startswith("Session")
    run = load_run(tmp_path / "mine.ebmlab")
    assert (run.step, run.recipe, run.moments) == (30, SMALL, (Moment(10, "ten", "steps"),))
    assert run.thumbnail.startswith(b"\x89PNG")
    assert run.kept[-1].step == 30
    assert run.view["layout"] == 4
    assert lab.window.windowTitle() == "mine.ebmlab[*] — ebmlab"
    assert not lab.window.isWindowModified()


def test_that_the_star_tells_that_training_has_gone_on_since_the_session_was_saved(lab, qtbot, tmp_path):
    train(lab, qtbot, 5)
    assert lab.window.isWindowModified()
    path = save(lab, qtbot, tmp_path / "a.ebmlab")
    assert not lab.window.isWindowModified()
    train(lab, qtbot, 5)
    assert lab.window.isWindowModified()
    lab.window.actions_["save"].trigger()
    settled(lab, qtbot)
    assert not lab.window.isWindowModified()
    assert load_run(path).step == 10
    lab.window.actions_["reset"].trigger()
    qtbot.waitUntil(lambda: lab.snapshot.end == 0, timeout=20000)
    train(lab, qtbot, 10)
    assert lab.window.isWindowModified(), "another run of as many steps is not the one that was saved"


def test_that_a_recipe_file_is_unsaved_only_when_the_recipe_changes(lab, qtbot, tmp_path):
    lab.document.save(tmp_path / "a.json")
    train(lab, qtbot, 5)
    assert not lab.window.isWindowModified()
    assert not lab.sessions.worth_asking
    lab.document.set(replace(SMALL, batch=16), "Change batch")
    assert lab.window.isWindowModified()
    lab.window.actions_["save"].trigger()
    assert Recipe.load(tmp_path / "a.json").batch == 16


def test_that_a_session_opens_where_it_stood_and_trains_on_bit_identically(lab, qtbot, tmp_path):
    train(lab, qtbot, 40)
    path = save(lab, qtbot, tmp_path / "a.ebmlab")
    train(lab, qtbot, 25)
    wanted = lab.snapshot
    reopen(lab, qtbot, path)
    assert (lab.snapshot.end, lab.document.path, lab.document.recipe) == (40, path, SMALL)
    assert lab.snapshot.kept[-1] == 40
    assert not lab.window.isWindowModified()
    train(lab, qtbot, 25)
    np.testing.assert_array_equal(lab.snapshot.energy, wanted.energy)
    np.testing.assert_array_equal(lab.snapshot.training.rows, wanted.training.rows)


def test_that_a_session_opens_with_the_window_arranged_as_it_was(lab, qtbot, tmp_path):
    assert lab.charts is not None
    train(lab, qtbot, 40)
    canvas = lab.canvas
    canvas.panes[1].show_kind("score")
    canvas.panes[1].set_overlay("data", True)
    canvas.set_layout(2)
    canvas.show_rectangle((-2.0, 2.0, -1.0, 3.0))
    lab.window.transport.set_speed(50)
    gradient = next(a for a in lab.window.menus["charts"].actions() if a.objectName() == "show-chart-gradient")
    gradient.setChecked(False)
    lab.travel.seek(20)
    qtbot.waitUntil(lambda: lab.snapshot.past, timeout=20000)
    lab.window.actions_["compare"].trigger()
    qtbot.waitUntil(lambda: lab.snapshot.pinned is not None, timeout=20000)
    path, wanted = save(lab, qtbot, tmp_path / "a.ebmlab"), arrangement(lab)

    plain(lab)
    gradient.setChecked(True)
    reopen(lab, qtbot, path)
    qtbot.waitUntil(lambda: lab.snapshot.past and lab.snapshot.pinned is not None, timeout=20000)
    assert arrangement(lab) == wanted
    plain(lab)
    gradient.setChecked(True)


def plain(lab):
    canvas = lab.canvas
    canvas.set_layout(4)
    canvas.panes[1].show_kind("energy")
    canvas.reset_zoom()
    lab.window.transport.set_speed(None)


@pytest.mark.parametrize(
    "view",
    [
        {
            "panes": 3,
            "layout": "4",
            "active": -1,
            "rectangle": [0, 0, 0, 0],
            "charts": [],
            "speed": "fast",
            "shown": -2,
        },
        {
            "panes": [{"kind": [], "overlays": {}}, None, {"kind": "none", "overlays": []}],
            "active": 10**30,
            "layout": 3,
        },
        {
            "rectangle": [float("nan"), 1, 2, 3],
            "charts": {"likelihood": 1},
            "shown": True,
            "compared": 1.5,
            "speed": 3.3,
        },
    ],
)
def test_that_a_view_that_makes_no_sense_changes_nothing(lab, view):
    before = arrangement(lab)
    arrange(lab, view)
    assert arrangement(lab) == before


def test_that_a_session_that_cannot_be_written_is_one_sentence_and_stays_unsaved(lab, qtbot, tmp_path):
    train(lab, qtbot, 5)
    save(lab, qtbot, tmp_path / "missing" / "a.ebmlab")
    assert "no such folder" in lab.window.error_bar.text
    assert lab.document.path is None
    assert lab.window.isWindowModified()


def test_that_leaving_a_session_asks_and_saving_is_done_before_it_is_left(lab, qtbot, tmp_path, monkeypatch):
    train(lab, qtbot, 5)
    assert lab.filing.may_leave(), "an untitled run is kept when it ends, so nobody is asked"
    path = save(lab, qtbot, tmp_path / "a.ebmlab")
    train(lab, qtbot, 5)
    asked = []
    button = QMessageBox.StandardButton
    monkeypatch.setattr(QMessageBox, "question", lambda *args: (asked.append(args[2]), button.Save)[1])
    assert lab.filing.may_leave()
    assert asked == ["The run has gone on since it was saved."]
    assert load_run(path).step == 10
    monkeypatch.setattr(QMessageBox, "question", lambda *args: button.Cancel)
    train(lab, qtbot, 5)
    lab.window.actions_["new"].trigger()
    QTest.qWait(50)
    assert (lab.snapshot.end, lab.document.path) == (15, path)


def test_that_a_run_that_is_reset_is_kept_and_said_to_be(lab, qtbot):
    before = {row.name for row in lab.sessions.keeper.rows()}
    train(lab, qtbot, 30)
    lab.window.actions_["reset"].trigger()
    qtbot.waitUntil(lambda: lab.snapshot.end == 0, timeout=20000)
    settled(lab, qtbot)
    (row,) = [row for row in lab.sessions.keeper.rows() if row.name not in before]
    assert "What was tried" in lab.window.error_bar.text
    assert (row.recipe, row.steps, row.diverged) == (SMALL, 30, False)
    run = load_run(row.session)
    assert (run.step, run.kept[-1].step) == (30, 30)
    assert run.thumbnail.startswith(b"\x89PNG")
    lab.sessions.keeper.forget([row])
    settled(lab, qtbot)
    assert row.name not in {row.name for row in lab.sessions.keeper.rows()}
    assert not os.path.exists(row.session)


def test_that_a_run_is_not_kept_twice(lab, qtbot, tmp_path):
    train(lab, qtbot, 30)
    path = save(lab, qtbot, tmp_path / "a.ebmlab")
    count = len(lab.sessions.keeper.rows())
    reopen(lab, qtbot, path)
    settled(lab, qtbot)
    rows = lab.sessions.keeper.rows()
    assert (len(rows), rows[-1].session) == (count + 1, str(path)), "its row names the file that it was saved to"
    reopen(lab, qtbot, path)
    settled(lab, qtbot)
    assert len(lab.sessions.keeper.rows()) == count + 1


def test_that_the_oldest_runs_make_way_for_new_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "MOST_FILES", 3)
    monkeypatch.setattr(keeper, "MOST_BYTES", 100)
    for i, size in enumerate((10, 10, 10, 60, 40)):
        path = tmp_path / f"{i}.ebmlab"
        path.write_bytes(b"x" * size)
        os.utime(path, (i, i))
    thin(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.ebmlab", "4.ebmlab"]


def test_that_a_session_whose_weights_are_not_its_recipes_begins_afresh_and_says_so(lab, qtbot):
    odd = Run(recipe=SMALL, weights={"layers.weight": torch.zeros(2)}, step=7)
    lab.sessions.adopt(odd)
    qtbot.waitUntil(lambda: "begins afresh" in lab.window.error_bar.text, timeout=20000)
    qtbot.waitUntil(lambda: lab.snapshot.refusal == "", timeout=20000)
    assert (lab.snapshot.recipe, lab.snapshot.end, lab.document.recipe) == (SMALL, 0, SMALL)
