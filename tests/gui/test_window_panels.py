from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton

from ebmlab.gui.actions import Actions
from ebmlab.gui.panels.strip import Finding, Strip
from ebmlab.gui.panels.transport import BEATS, SPEEDS, Transport
from ebmlab.gui.steering import Steering
from ebmlab.session.honesty import Verdict
from ebmlab.session.orders import Advance, Beat, Drift, Pause, Play, Reset, SlowMotion, Speed
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Lens, Snapshot, StageShown


class Post:
    """Stands for the bridge: keeps what was posted."""

    class Never:
        def connect(self, slot):
            pass

    arrived = Never()

    def __init__(self):
        self.orders = []

    def post(self, order):
        self.orders.append(order)


@pytest.fixture
def shell(qtbot):
    made = QMainWindow()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def actions(shell):
    return Actions(shell)


@pytest.fixture
def transport(shell, actions):
    made = Transport(actions)
    shell.addToolBar(made)
    return made


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def steering(post, actions, transport, shell):
    return Steering(post, actions, transport, shell)


def snapshot(**changes):
    return Snapshot(step=0, recipe=Recipe(), lens=Lens(), **changes)


def test_that_every_action_of_the_run_menu_becomes_its_order(steering, post, actions):
    for name in ("run", "run", "step", "slow-motion", "slow-motion", "drift", "reset"):
        actions[name].trigger()
    assert post.orders == [Play(), Pause(), Advance(1), SlowMotion(0.7), SlowMotion(None), Drift(True), Reset()]


def test_that_space_runs_unless_a_button_has_the_focus(steering, post, shell, qtbot, monkeypatch):
    steering._space()
    assert post.orders == [Play()]
    button = QPushButton(shell)
    monkeypatch.setattr(QApplication, "focusWidget", lambda: button)
    with qtbot.waitSignal(button.clicked, timeout=1000):
        steering._space()
    assert post.orders == [Play()]


def test_that_the_brackets_change_the_speed_and_its_ends_hold(steering, post, actions):
    actions["faster"].trigger()
    assert post.orders == []
    actions["slower"].trigger()
    assert post.orders == [Speed(SPEEDS[-2])]
    for _ in SPEEDS:
        actions["slower"].trigger()
    assert post.orders[-1] == Speed(SPEEDS[0])


def test_that_the_slider_sets_the_beat_in_slow_motion_and_keeps_the_speed(steering, post, actions, transport):
    actions["slow-motion"].trigger()
    actions["faster"].trigger()
    assert post.orders[-1] == SlowMotion(BEATS[6])
    actions["slow-motion"].trigger()
    assert transport.speed is None


def test_that_a_step_in_slow_motion_goes_on_to_the_next_stage(steering, post, actions):
    actions["slow-motion"].trigger()
    steering.observe(snapshot(stage=StageShown(name="data", text="Data.", index=0)))
    actions["step"].trigger()
    assert post.orders[-1] == Beat()


def test_that_a_run_that_stops_by_itself_can_be_started_again(steering, post, actions):
    actions["run"].trigger()
    steering.observe(snapshot(status="running"))
    steering.observe(snapshot(status="failed", reason="diverged"))
    assert actions["run"].text() == "Run"
    actions["run"].trigger()
    assert post.orders == [Play(), Play()]


def test_that_buttons_lose_their_texts_before_any_of_them_is_cut_off(transport, shell, qtbot):
    shell.resize(1400, 200)
    shell.show()
    qtbot.waitUntil(lambda: transport.width() > 1300, timeout=1000)
    find = transport.button("find")
    assert find.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    shell.resize(800, 200)
    qtbot.waitUntil(lambda: transport.width() < 900, timeout=1000)
    assert find.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
    assert transport.sizeHint().width() <= transport.width()
    assert all(transport.button(name).isVisible() for name in ("redo", "present", "find"))


def test_that_the_first_icon_stands_on_the_accent_after_the_action_has_changed(transport, actions):
    before = transport.button("run").icon().pixmap(16).toImage()
    actions["run"].setEnabled(False)
    actions["run"].setEnabled(True)
    assert transport.button("run").icon().pixmap(16).toImage() == before


def test_that_every_action_has_a_name_and_a_tip(actions):
    assert all(action.objectName() and action.toolTip() for action in actions)


def test_that_no_two_actions_share_a_key(actions):
    keys = [key.toString() for action in actions for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


@pytest.fixture
def strip(qtbot):
    made = Strip()
    qtbot.addWidget(made)
    made.resize(500, 36)
    made.show()
    return made


def verdict(i, level="good"):
    return Verdict(level, f"finding number {i} of many", f"Why {i}.")


def test_that_verdicts_without_room_stand_in_the_menu_at_the_end(strip):
    strip.set_verdicts([verdict(i) for i in range(6)])
    row = strip._row
    left_out = row.left_out()
    assert 0 < len(left_out) < 6
    row.menu.aboutToShow.emit()
    assert [a.text() for a in row.menu.actions()] == [w.verdict.text for w in left_out]
    shown = [w for w in strip._findings if w not in left_out]
    assert all(w.geometry().right() <= row.width() for w in shown)


def test_that_a_verdict_says_why_in_its_tool_tip(strip):
    strip.set_verdicts([verdict(1, "bad")])
    (finding,) = strip._findings
    assert "Why 1." in finding.toolTip()
    assert finding.accessibleName() == "finding number 1 of many"
    strip.set_verdicts([])
    assert strip.verdicts == ()


def test_that_the_strip_judges_a_snapshot_and_names_its_stage(strip):
    strip.show_snapshot(snapshot(stage=StageShown(name="data", text="Points are drawn.", index=2)))
    assert strip._stage.text() == "3  Points are drawn."
    assert any("on their way" in v.text for v in strip.verdicts)


def test_that_a_verdict_that_stays_is_not_written_again(strip, monkeypatch):
    strip.set_verdicts([verdict(1), verdict(2)])
    written = []
    monkeypatch.setattr(Finding, "set_verdict", lambda self, given: written.append(given))
    strip.set_verdicts([verdict(1), verdict(3)])
    assert written == [verdict(3)]


def test_that_twelve_verdicts_are_counted_shown_or_in_the_menu_with_their_reasons(strip):
    for width in (980, 500):
        strip.resize(width, 36)
        long = Verdict("fair", "a verdict of many words " * 8 + "& more", "Why long.")
        strip.set_verdicts([verdict(0, "bad"), long, *(verdict(i) for i in range(2, 12))])
        left_out = strip._row.left_out()
        assert strip._row.more.text() == f"+{len(left_out)} more"
        assert strip._row.more.geometry().right() <= strip._row.width()
        assert strip._row.more.width() >= strip._row.more.fontMetrics().horizontalAdvance("+11 more")
        strip._row.menu.aboutToShow.emit()
        actions = strip._row.menu.actions()
        assert len(actions) == len(left_out) == 12 - sum(not f.isHidden() for f in strip._findings)
        assert all(f"Why {a.text().split()[2]}." in a.toolTip() for a in actions if a.text().startswith("finding"))
        assert all(a.iconText() for a in actions)
