"""What was tried: sorted, sought, compared, copied, opened and deleted by mouse and keys."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QMessageBox

from ebmlab.engine.oracle import Evaluation
from ebmlab.gui.differences import departures, differences
from ebmlab.gui.panels import tried as module
from ebmlab.gui.panels.tried import TriedPage
from ebmlab.gui.panels.tried_columns import duration
from ebmlab.gui.panels.tried_rows import under_way
from ebmlab.session.recipe import Recipe
from ebmlab.session.share import from_link
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.session.tried import Tried
from ebmlab.spec import amend


def recipe(**settings):
    made = Recipe()
    for path, value in settings.items():
        made = amend(made, path.replace("__", "."), value)
    return made


def row(name, kl, steps=100, **settings):
    figures = {"kl": kl, "nll": 2.0, "log_z": -1.5, "fisher": None}
    return Tried(name=name, recipe=recipe(**settings), steps=steps, seconds=75.0, figures=figures, when=1.7e9 + steps)


ROWS = [
    row("a", 0.3, 100, estimator="dsm", seed="1"),
    row("b", 0.1, 300, target="ring", energy__width="64"),
    replace(row("c", None, 200, estimator="nce"), diverged=True, why="the energy is not finite at step 200"),
]
HEADINGS = ["When", "Target", "Energy", "Estimator", "Knobs", "Seed", "Steps", "Time", "KL", "NLL", "log Z", "Fisher"]


@pytest.fixture
def page(qtbot):
    made = TriedPage(lambda: list(ROWS))
    qtbot.addWidget(made)
    made.resize(1100, 600)
    made.show()
    qtbot.waitUntil(lambda: made.model.rowCount() == len(ROWS), timeout=5000)
    yield made
    made.close_down()


def listed(page, column=None):
    shown = page.table.sorted
    if column is None:
        return [page.model.row(shown.mapToSource(shown.index(i, 0)).row()).name for i in range(shown.rowCount())]
    return [shown.index(i, HEADINGS.index(column)).data() for i in range(shown.rowCount())]


def choose(page, *names):
    page.table.clearSelection()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for name in names:
        page.table.selectionModel().select(page.table.sorted.index(listed(page).index(name), 0), flags)


def press(page, name):
    QTest.mouseClick(page.buttons[name], Qt.MouseButton.LeftButton)


def click_heading(page, name):
    header = page.table.horizontalHeader()
    place = header.sectionViewportPosition(HEADINGS.index(name)) + 10
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place, 10))


def test_that_the_newest_run_stands_first_with_kinds_knobs_and_figures(page):
    assert listed(page) == ["b", "c", "a"]
    assert listed(page, "Estimator") == ["pcd", "nce", "dsm"]
    assert listed(page, "Knobs") == ["width 64", "", ""]
    assert listed(page, "KL") == ["0.1", "", "0.3"]
    assert listed(page, "Time") == ["1 min 15 s"] * 3


def test_that_a_click_on_a_heading_sorts_and_gaps_stay_last(page):
    orders = []
    for _ in range(2):
        click_heading(page, "KL")
        orders.append("".join(listed(page)))
    assert sorted(orders) == ["abc", "bac"]


def test_that_the_run_under_way_stays_first_whatever_sorts(page):
    page.model.show_running(under_way(snapshot()))
    for column in ("KL", "When", "Steps"):
        click_heading(page, column)
        assert listed(page)[0] == ""
        click_heading(page, column)
        assert listed(page)[0] == ""
    assert listed(page, "When")[0] == "under way"
    assert listed(page, "KL")[0] == "0.25"


def snapshot(**changes):
    figures = Evaluation(step=5, kl=0.25, log_z=1.0, normalisable=True)
    return Snapshot(**({"step": 5, "recipe": Recipe(), "lens": Lens(), "seconds": 2.0, "figures": figures} | changes))


def test_that_the_run_under_way_is_looked_at_twice_a_second_at_most(page, monkeypatch):
    clock = [10.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    page.show_snapshot(snapshot())
    page.show_snapshot(snapshot(step=6))
    assert listed(page, "Steps")[0] == "5"
    clock[0] += 0.5
    page.show_snapshot(snapshot(step=7))
    assert listed(page, "Steps")[0] == "7"


def test_that_words_leave_the_runs_that_hold_them_all(page, qtbot):
    qtbot.keyClicks(page.seek, "ring")
    assert listed(page) == ["b"]
    page.seek.clear()
    qtbot.keyClicks(page.seek, "nce finite")
    assert listed(page) == ["c"]
    page.seek.clear()
    qtbot.keyClicks(page.seek, "energy.width")
    assert listed(page) == ["b"], "the whole path of a knob is found too"


def test_that_one_chosen_run_is_compared_with_the_default_and_two_with_each_other(page):
    choose(page, "b")
    assert [line[:3] for line in page.comparison.lines()] == [
        ("target", "ring", "two-moons"),
        ("energy.width", "64", "128"),
    ]
    choose(page, "a", "b")
    lines = {line.name: (line.left, line.right) for line in page.comparison.lines()}
    assert lines["estimator"] == ("pcd", "dsm")
    assert lines["KL"] == ("0.1", "0.3")
    choose(page)
    assert page.comparison.lines() == []


def test_that_a_double_click_enter_and_the_button_open_a_run(page, qtbot):
    choose(page, "a")
    for deed in (lambda: press(page, "open"), lambda: QTest.keyClick(page.table, Qt.Key.Key_Return)):
        with qtbot.waitSignal(page.opened) as heard:
            deed()
        assert heard.args == [ROWS[0], True]
    place = page.table.visualRect(page.table.sorted.index(0, 1)).center()
    QTest.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(page.opened) as heard:
        QTest.mouseDClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert heard.args == [ROWS[1], True]


def test_that_the_run_under_way_is_neither_opened_nor_deleted(page):
    page.model.show_running(under_way(snapshot()))
    choose(page, "")
    assert not page.buttons["open"].isEnabled()
    assert not page.buttons["delete"].isEnabled()
    assert page.buttons["copy-recipe"].isEnabled()


def test_that_what_is_chosen_stays_chosen_when_the_runs_are_read_anew(page, qtbot):
    choose(page, "a", "c")
    page.refresh()
    qtbot.waitUntil(lambda: not page.errand.busy, timeout=5000)
    assert {run.name for run in page.table.chosen} == {"a", "c"}
    assert not page.errand.isVisible()


def test_that_recipe_and_link_are_copied_and_lead_back(page):
    choose(page, "b")
    QTest.keyClick(page.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert Recipe.loads(QGuiApplication.clipboard().text()) == ROWS[1].recipe
    press(page, "copy-link")
    assert from_link(QGuiApplication.clipboard().text()) == ROWS[1].recipe


@pytest.mark.parametrize("answer", ["Yes", "Cancel"])
def test_that_runs_are_deleted_only_once_the_user_has_said_so(page, qtbot, monkeypatch, answer):
    forgotten = []
    page.forgotten.connect(forgotten.append)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: getattr(QMessageBox.StandardButton, answer))
    choose(page, "a", "c")
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    assert [{run.name for run in runs} for runs in forgotten] == ([{"a", "c"}] if answer == "Yes" else [])


def test_that_the_exported_table_holds_what_is_listed_with_its_knobs(page, tmp_path, qtbot):
    qtbot.keyClicks(page.seek, "two-moons")
    page.export(str(tmp_path / "t.csv"))
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["run"] for r in rows] == ["c", "a"]
    assert [r["estimator"] for r in rows] == ["nce", "dsm"]
    assert rows[1]["kl"] == "0.3"
    assert rows[0]["why"].startswith("the energy is not finite")


def test_that_a_table_that_cannot_be_written_becomes_one_sentence(page, qtbot, tmp_path):
    with qtbot.waitSignal(page.failed) as heard:
        page.export(str(tmp_path / "none" / "t.csv"))
    assert heard.args[0].endswith("choose another place")


def test_that_the_folder_of_a_sweep_is_read_and_one_that_is_none_is_refused(page, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "read_tried", lambda path: [row("swept", 0.5)])
    page.open_sweep(str(tmp_path))
    qtbot.waitUntil(lambda: listed(page) == ["swept"], timeout=5000)
    choose(page, "swept")
    assert not page.buttons["delete"].isEnabled(), "the runs of a sweep are the sweep's"
    page.source.setCurrentIndex(0)
    qtbot.waitUntil(lambda: len(listed(page)) == 3, timeout=5000)


def test_that_every_control_has_a_name_and_a_tip(page):
    controls = [w for kind in (QAbstractButton, QComboBox, QLineEdit) for w in page.findChildren(kind) if w.isVisible()]
    assert [w for w in controls if not (w.toolTip() and (w.accessibleName() or getattr(w, "text", str)()))] == []


def test_that_times_are_told_in_words():
    assert [duration(s) for s in (0.25, 59.4, 125, 7260)] == ["0.25 s", "59.4 s", "2 min 05 s", "2 h 01 min"]


def test_that_recipes_differ_by_the_paths_of_the_command_line():
    assert departures(Recipe()) == []
    settings = {"estimator": "dsm", "estimator.sigma": "0.7", "optimizer.rate": "0.01", "log_z": '[{"kind": "smc"}]'}
    other = Recipe()
    for path, value in settings.items():
        other = amend(other, path, value)
    found = {d.path: (d.left, d.right) for d in differences(other, Recipe())}
    assert found["estimator"] == ("dsm", "pcd")
    assert found["estimator.sigma"] == ("0.7", "")
    assert found["optimizer.rate"] == ("0.01", "0.001")
    assert found["log_z"] == ("smc", "ais")
