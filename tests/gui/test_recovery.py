"""What is kept from a crash: by a lab that is killed in truth, and by two that live side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.gui.left_behind import FILE, UNREADABLE, Offer, claimed, left_behind
from ebmlab.gui.panels.offers import described
from ebmlab.gui.scribe import save, state_folder
from ebmlab.gui.window import LabWindow
from ebmlab.session.archive import load_run
from ebmlab.session.orders import Advance
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.tried import read_log

SMALL = Recipe(energy=MLP(width=4, depth=1), estimator=PersistentContrastiveDivergence(steps=1), batch=8, log_z=())
VICTIM = """
import os, sys, time
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from ebmlab.gui.window import LabWindow
from ebmlab.session.orders import Advance
from test_recovery import SMALL
app = QApplication([])
app.setApplicationName(sys.argv[1])
window = LabWindow(QSettings(sys.argv[2], QSettings.Format.IniFormat))
lab = window.furnish(SMALL)
window.show()
lab.bridge.post(Advance(25))
while lab.snapshot is None or lab.snapshot.end < 25: app.processEvents(); time.sleep(0.005)
lab.sessions.recovery.save()
while lab.sessions.recovery.saving: app.processEvents()
print(lab.sessions.recovery.folder, flush=True)
while True: app.processEvents(); time.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state folder of the test's own."""

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def open_lab(qapp, qtbot, tmp_path):
    """Returns a function that opens a lab; closes it at the end."""

    made = []

    def opened(remembers=True):
        settings = QSettings(str(tmp_path / "lab.ini"), QSettings.Format.IniFormat) if remembers else None
        window = LabWindow(settings)
        made.append(window)
        window.resize(1280, 800)
        window.furnish(SMALL)
        window.lab.filing.quiet = True
        window.show()
        qtbot.waitUntil(lambda: window.lab.snapshot is not None and window.lab._complete, timeout=30000)
        settled(window.lab, qtbot)
        return window.lab

    yield opened
    for window in made:
        window.close()
        window.deleteLater()
    QTest.qWait(0)


def settled(lab, qtbot):
    qtbot.waitUntil(lambda: not lab.sessions.scribe.busy and not lab.sessions.recovery.saving, timeout=20000)


def train(lab, qtbot, steps):
    end = lab.snapshot.end + steps
    lab.bridge.post(Advance(steps))
    qtbot.waitUntil(lambda: lab.snapshot.end == end and lab.snapshot.status == "paused", timeout=20000)


def autosave(lab, qtbot):
    lab.sessions.recovery.save()
    settled(lab, qtbot)
    return lab.sessions.recovery.folder / FILE


def leave_behind(name, recipe=SMALL, steps=3):
    """Leaves a run behind as a lab does that was killed: saved, its lock of a process that is dead."""

    session = Session(recipe, "cpu")
    for _ in range(steps):
        session.step()
    state = session.capture()
    folder = state_folder() / "autosave" / name
    claimed(folder).unlock()
    save(Run(recipe=recipe, weights=state.weights, state=state, step=steps, log=((0, recipe),)), folder / FILE)
    return folder


def press(bar, text, row=0):
    [b for b in bar.findChildren(QPushButton) if b.text() == text and b.isVisible()][row].click()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_that_what_a_killed_lab_was_at_is_offered_to_the_next_and_a_living_ones_is_not(open_lab, qtbot, tmp_path):
    code = [sys.executable, "-c", VICTIM, QApplication.applicationName(), str(tmp_path / "other.ini")]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    victim = subprocess.Popen(code, stdout=subprocess.PIPE, text=True, env=env)
    try:
        folder = Path(victim.stdout.readline().strip())
        assert (folder / FILE).exists()
        assert left_behind(folder.parent / "own") == [], "it lives"
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
    lab = open_lab()
    (offer,) = lab.sessions.recovery.bar.offers
    assert (offer.folder, offer.run.step) == (folder, 25)
    name, when = described(offer)
    assert name == "two-moons / pcd"
    assert when.startswith("step 25, ")
    assert when.endswith(" today")
    assert open_lab().sessions.recovery.bar is None, "offered once"
    press(lab.sessions.recovery.bar, "Restore")
    qtbot.waitUntil(lambda: lab.snapshot.end == 25, timeout=20000)
    assert not lab.sessions.recovery.bar.isVisible()
    assert lab.window.isWindowModified()
    assert lab.snapshot.kept[-1] == 25
    settled(lab, qtbot)
    qtbot.waitUntil(lambda: not folder.exists(), timeout=20000)
    assert load_run(lab.sessions.recovery.folder / FILE).step == 25


def test_that_only_what_has_changed_is_saved_and_a_closed_lab_leaves_nothing(open_lab, qtbot):
    lab = open_lab()
    assert not autosave(lab, qtbot).exists(), "nothing was done yet"
    train(lab, qtbot, 5)
    file = autosave(lab, qtbot)
    first = file.stat().st_mtime_ns
    assert load_run(file).step == 5
    autosave(lab, qtbot)
    assert file.stat().st_mtime_ns == first
    lab.document.set(replace(SMALL, batch=16), "Change batch")
    qtbot.waitUntil(lambda: lab.snapshot.recipe.batch == 16, timeout=20000)
    autosave(lab, qtbot)
    assert load_run(file).recipe.batch == 16
    lab.window.close()
    assert not file.parent.exists()


def test_that_a_visit_that_remembers_nothing_neither_saves_nor_offers(open_lab, qtbot):
    leave_behind("a")
    lab = open_lab(remembers=False)
    train(lab, qtbot, 30)
    assert not autosave(lab, qtbot).exists()
    assert lab.sessions.recovery.bar is None
    lab.window.close()
    assert [path.name for path in state_folder().iterdir()] == ["autosave"]


def test_that_several_are_offered_the_latest_first_each_to_be_copied_or_discarded(
    open_lab, qtbot, tmp_path, monkeypatch
):
    old, new = leave_behind("a", steps=2), leave_behind("b", steps=4)
    os.utime(old / FILE, (time.time() - 90000,) * 2)
    lab = open_lab()
    bar = lab.sessions.recovery.bar
    assert [offer.folder for offer in bar.offers] == [new, old]
    assert not described(bar.offers[1])[1].endswith("today")
    place = tmp_path / "copy.ebmlab"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place), ""))
    press(bar, "Save as…")
    qtbot.waitUntil(lambda: not new.exists(), timeout=20000)
    assert load_run(place).step == 4
    press(bar, "Discard")
    qtbot.waitUntil(lambda: not old.exists(), timeout=20000)
    assert not bar.isVisible()


def test_that_what_nobody_answered_to_is_kept_with_what_was_tried(open_lab):
    folder = leave_behind("a", steps=3)
    lab = open_lab()
    lab.window.close()
    (row,) = read_log(state_folder() / "tried" / "log.jsonl")
    assert (row.steps, load_run(row.session).step) == (3, 3)
    assert not folder.exists()


def test_that_what_cannot_be_read_is_put_aside_in_silence(open_lab):
    (leave_behind("a") / FILE).write_bytes(b"PK no more")
    lab = open_lab()
    assert lab.sessions.recovery.bar is None
    assert lab.window.error_bar.text == ""
    assert (state_folder() / "autosave" / UNREADABLE / "a" / FILE).exists()


def test_that_a_folder_in_which_a_lab_is_just_beginning_is_left_alone():
    root = state_folder() / "autosave"
    young, old = root / "young", root / "old"
    for folder in (young, old):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 3600,) * 2)
    assert left_behind(root / "own") == []
    assert (young.exists(), old.exists()) == (True, False)


def test_that_two_labs_at_once_save_beside_each_other(open_lab, qtbot):
    first, second = open_lab(), open_lab()
    train(first, qtbot, 3)
    train(second, qtbot, 4)
    files = [autosave(lab, qtbot) for lab in (first, second)]
    assert [load_run(file).step for file in files] == [3, 4]
    first.window.close()
    assert [file.exists() for file in files] == [False, True]


def test_that_a_folder_that_cannot_be_written_to_is_one_quiet_sentence(open_lab, qtbot, state):
    state.write_text("in the way")
    lab = open_lab()
    train(lab, qtbot, 30)
    autosave(lab, qtbot)
    text = lab.window.error_bar.text
    assert text.startswith("A crash would lose what is not saved: ")
    assert "\n" not in text
    lab.window.error_bar.clear()
    train(lab, qtbot, 3)
    autosave(lab, qtbot)
    assert lab.window.error_bar.text == "", "said once"
    lab.window.close()


def test_that_an_offer_that_is_taken_back_frees_its_lock():
    folder = leave_behind("a")
    (offer,) = left_behind(folder.parent / "own")
    assert isinstance(offer, Offer)
    assert left_behind(folder.parent / "own") == []
    offer.remove()
    assert not folder.exists()
