import math

import numpy as np
import pytest
from fakes import RECIPE, TARGET, snapshot
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from ebmlab.engine.targets import Drawing
from ebmlab.engine.targets.marks import Brush, Eraser, Spray, Stamp
from ebmlab.engine.window import Lattice
from ebmlab.gui.views.canvas import Canvas
from ebmlab.gui.views.stamps import handles, pulled
from ebmlab.spec import decode, encode

LEFT = Qt.MouseButton.LeftButton
STILL = Qt.KeyboardModifier.NoModifier


class Hand:
    """A canvas, a hand that draws on it, and what it was heard to say."""

    def __init__(self, canvas):
        self.canvas, self.plane = canvas, canvas.panes[0].plane
        self.targets, self.strokes, self.refusals = [], [], []
        canvas.edited.connect(self.targets.append)
        canvas.stroke_finished.connect(lambda: self.strokes.append(len(self.targets)))
        canvas.refused.connect(self.refusals.append)

    def send(self, kind, at, button=LEFT):
        pixel = self.plane.projection.pixel(at)
        QApplication.sendEvent(self.plane, QMouseEvent(kind, pixel, pixel, button, button, STILL))

    def press(self, at):
        self.send(QEvent.Type.MouseButtonPress, at)

    def move(self, at):
        self.send(QEvent.Type.MouseMove, at)

    def release(self, at):
        self.send(QEvent.Type.MouseButtonRelease, at)

    def draw(self, *path):
        self.press(path[0])
        for at in path[1:]:
            self.move(at)
        self.release(path[-1])
        return self.targets[-1] if self.targets else None


@pytest.fixture
def hand(qtbot):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(900, 800)
    canvas.show()
    canvas.show_snapshot(snapshot())
    return Hand(canvas)


def arc(n=20):
    angle = np.linspace(0, math.pi, n)
    return [(3 * math.cos(a), 3 * math.sin(a)) for a in angle]


def test_that_a_brush_leaves_its_path_with_radius_and_strength(hand):
    hand.canvas.set_tool("brush")
    hand.canvas.set_settings(0.4, 0.7)
    (mark,) = hand.draw(*arc()).marks
    assert isinstance(mark, Brush)
    assert (mark.radius, mark.strength) == (0.4, 0.7)
    assert mark.path[0] == pytest.approx((3, 0))
    assert mark.path[-1] == pytest.approx((-3, 0), abs=0.1)
    np.testing.assert_allclose(np.hypot(*np.array(mark.path).T), 3, atol=1e-6)


def test_that_the_mass_lies_where_the_hand_drew(hand):
    hand.canvas.set_tool("brush")
    mass = hand.draw(*arc(60)).mass(Lattice((-6.0, 6.0, -6.0, 6.0), 120, 120))
    row, column = np.unravel_index(mass.argmax(), mass.shape)
    x, y = -6 + 12 * (column + 0.5) / 120, -6 + 12 * (row + 0.5) / 120
    assert math.hypot(x, y) == pytest.approx(3, abs=0.15)
    assert y > -0.1
    assert mass[30, 60] < 1e-6


def test_that_the_target_grows_while_the_pen_is_down(qtbot, hand):
    hand.canvas.set_tool("brush")
    hand.press((0, 0))
    with qtbot.waitSignal(hand.canvas.edited, timeout=1000):
        pass
    for x in (1.0, 2.0, 3.0):
        hand.move((x, 0))
    with qtbot.waitSignal(hand.canvas.edited, timeout=1000):
        pass
    hand.release((3.0, 0))
    lengths = [len(target.marks[0].path) for target in hand.targets]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]
    assert hand.strokes == [len(hand.targets)]


def test_that_a_fast_hand_does_not_flood_the_session(hand):
    hand.canvas.set_tool("brush")
    hand.draw(*arc(200))
    assert len(hand.targets) < 20
    assert len(hand.strokes) == 1


def test_that_a_pen_held_still_says_nothing_new(qtbot, hand):
    hand.canvas.set_tool("brush")
    hand.press((0, 0))
    with qtbot.waitSignal(hand.canvas.edited, timeout=1000):
        pass
    count = len(hand.targets)
    qtbot.wait(200)
    assert len(hand.targets) == count
    hand.release((0, 0))


def test_that_strokes_add_up_though_no_snapshot_has_come_between(hand):
    hand.canvas.set_tool("brush")
    hand.draw((0, 0), (1, 0))
    hand.draw((0, 2), (1, 2))
    assert len(hand.targets[-1].marks) == 2
    assert len(hand.strokes) == 2


def test_that_drawing_goes_on_from_what_was_undone(hand):
    hand.canvas.set_tool("brush")
    first = hand.draw((0, 0), (1, 0))
    hand.draw((0, 2), (1, 2))
    hand.canvas.show_target(first)
    third = hand.draw((0, -2), (1, -2))
    assert third.marks[:-1] == first.marks


def test_that_a_target_from_elsewhere_does_not_disturb_a_stroke(hand):
    hand.canvas.set_tool("brush")
    hand.press((0, 0))
    hand.canvas.show_target(TARGET)
    hand.move((1, 0))
    hand.release((2, 0))
    assert len(hand.targets[-1].marks) == 1


def test_that_a_stroke_on_another_target_begins_a_drawing(hand):
    hand.canvas.set_tool("brush")
    assert isinstance(hand.draw((0, 0), (1, 1)), Drawing)


def test_that_there_is_nothing_to_erase_on_a_target_that_is_not_drawn(hand):
    hand.canvas.set_tool("eraser")
    hand.draw((0, 0), (1, 0))
    assert hand.targets == []
    assert "brush" in hand.refusals[0]


def test_that_an_eraser_goes_over_what_was_drawn(hand):
    hand.canvas.set_tool("brush")
    hand.draw((-2, 0), (2, 0))
    hand.canvas.set_tool("eraser")
    target = hand.draw((0, 0), (0.1, 0))
    assert isinstance(target.marks[-1], Eraser)
    mass = target.mass(Lattice((-6.0, 6.0, -6.0, 6.0), 120, 120))
    assert mass[60, 60] < 0.05 * mass[60, 42]


def test_that_a_line_is_straight_whatever_the_hand_did(hand):
    hand.canvas.set_tool("line")
    (mark,) = hand.draw((0, 0), (1, 3), (2, -3), (3, 0)).marks
    assert np.array(mark.path) == pytest.approx(np.array([[0, 0], [3, 0]]), abs=1e-9)


def test_that_two_sprays_differ_and_one_gets_denser_while_it_rests(qtbot, hand):
    hand.canvas.set_tool("spray")
    hand.draw((0, 0), (1, 0))
    hand.press((0, 2))
    qtbot.waitUntil(lambda: len(hand.targets[-1].marks) == 2 and len(hand.targets[-1].marks[1].path) >= 3)
    hand.release((0, 2))
    first, second = hand.targets[-1].marks
    assert isinstance(second, Spray)
    assert first.seed != second.seed


def test_that_without_a_tool_nothing_is_drawn(hand):
    hand.draw((0, 0), (1, 0))
    hand.canvas.set_tool("brush")
    hand.canvas.set_tool("")
    hand.draw((0, 0), (1, 0))
    assert hand.targets == []


def test_that_the_right_button_pans_with_a_tool_in_hand(hand):
    hand.canvas.set_tool("brush")
    before = hand.plane.projection.window
    hand.send(QEvent.Type.MouseButtonPress, (0, 0), Qt.MouseButton.RightButton)
    hand.send(QEvent.Type.MouseMove, (1, 0), Qt.MouseButton.RightButton)
    hand.send(QEvent.Type.MouseButtonRelease, (1, 0), Qt.MouseButton.RightButton)
    assert hand.targets == []
    assert hand.plane.projection.window[0] == pytest.approx(before[0] - 1)


def test_that_the_stroke_is_seen_before_the_session_has_heard_of_it(hand):
    hand.canvas.set_tool("brush")
    before = hand.plane.grab().toImage()
    hand.press((-3, -3))
    hand.move((-3, 3))
    pixel = hand.plane.projection.pixel((-3.0, -1.0)).toPoint()
    seen = hand.plane.grab().toImage()
    assert seen.pixelColor(pixel).blue() > before.pixelColor(pixel).blue() + 20
    hand.release((-3, 3))
    recipe = type(RECIPE)(target=hand.targets[-1], log_z=())
    hand.canvas._hover(None)
    hand.canvas.show_snapshot(snapshot(recipe=recipe))
    assert hand.plane.grab().toImage().pixelColor(pixel) == before.pixelColor(pixel)


def test_that_a_stamp_takes_its_first_axis_from_the_drag(hand):
    hand.canvas.set_tool("stamp")
    hand.canvas.set_settings(0.5, 2.0)
    (mark,) = hand.draw((1, 1), (1.5, 1.5), (2, 2)).marks
    assert isinstance(mark, Stamp)
    assert mark.centre == pytest.approx((1, 1))
    assert mark.sigmas == pytest.approx((math.sqrt(2), 0.5))
    assert mark.angle == pytest.approx(45)
    assert mark.weight == 2.0


def test_that_a_click_stamps_a_round_gaussian(hand):
    hand.canvas.set_tool("stamp")
    hand.canvas.set_settings(0.5, 1.0)
    (mark,) = hand.draw((1, 1)).marks
    assert mark.sigmas == (0.5, 0.5)


@pytest.mark.parametrize(
    ("handle", "to", "expected"),
    [
        ("centre", (2.0, 1.0), {"centre": (2.0, 1.0)}),
        ("first", (0.0, 1.5), {"sigmas": (1.5, 0.5), "angle": 90.0}),
        ("second", (0.0, 2.0), {"sigmas": (1.0, 2.0), "angle": 0.0}),
    ],
)
def test_that_a_handle_of_the_selected_stamp_changes_it(hand, handle, to, expected):
    hand.canvas.set_tool("stamp")
    hand.canvas.set_settings(0.5, 1.0)
    (mark,) = hand.draw((0, 0), (1, 0)).marks
    start = handles(mark, 1 / hand.plane.projection.scale)[handle]
    (mark,) = hand.draw(start, to).marks
    for name, value in expected.items():
        assert getattr(mark, name) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 7.0, 500.0])
def test_that_the_weight_is_where_its_handle_is(weight):
    stamp = Stamp(centre=(1.0, 2.0), sigmas=(0.5, 0.3), angle=30.0, weight=weight)
    at = handles(stamp, 0.02)["weight"]
    assert pulled(stamp, "weight", at, 0.02).weight == pytest.approx(weight, abs=1e-9)


@pytest.mark.parametrize("handle", ["first", "second", "weight", "new"])
@pytest.mark.parametrize("to", [(0.0, 0.0), (1e5, -1e5), (1e-9, 0.0)])
def test_that_no_handle_leaves_the_bounds(handle, to):
    stamp = pulled(Stamp(), handle, to, 0.01)
    assert all(0.05 <= sigma <= 1000 for sigma in stamp.sigmas)
    assert 0 <= stamp.weight <= 1000


def test_that_an_older_stamp_is_selected_by_its_centre(hand):
    hand.canvas.set_tool("stamp")
    hand.canvas.set_settings(0.5, 1.0)
    hand.draw((-3, -3))
    hand.draw((3, 3))
    first, second = hand.draw((-3, -3), (-2, -3)).marks
    assert first.centre == pytest.approx((-2, -3))
    assert second.centre == pytest.approx((3, 3))


def test_that_the_selected_stamp_can_be_nudged_and_deleted(qtbot, hand):
    hand.canvas.set_tool("stamp")
    hand.draw((0, 0))
    qtbot.keyClick(hand.plane, Qt.Key.Key_Right)
    (mark,) = hand.targets[-1].marks
    assert mark.centre[0] > 0
    qtbot.keyClick(hand.plane, Qt.Key.Key_Delete)
    assert hand.targets[-1].marks == ()
    assert len(hand.strokes) == 3
    qtbot.keyClick(hand.plane, Qt.Key.Key_Delete)
    assert len(hand.strokes) == 3


def test_that_the_handles_are_painted(hand):
    hand.canvas.set_tool("stamp")
    before = hand.plane.grab().toImage()
    hand.draw((-3, 3), (-2, 3))
    pixel = hand.plane.projection.pixel((-2.0, 3.0)).toPoint()
    assert hand.plane.grab().toImage().pixelColor(pixel) != before.pixelColor(pixel)


@pytest.mark.parametrize("tool", ["brush", "spray", "line", "stamp"])
def test_that_what_was_drawn_survives_the_file_format(hand, tool):
    hand.canvas.set_tool(tool)
    target = hand.draw((0, 0), (1, 1), (2, 1))
    assert decode(encode(target), Drawing(), "target") == target


def test_that_taking_up_another_tool_ends_the_stroke(hand):
    hand.canvas.set_tool("brush")
    hand.press((0, 0))
    hand.move((1, 0))
    hand.canvas.set_tool("line")
    assert len(hand.strokes) == 1
    hand.release((1, 0))
    assert len(hand.strokes) == 1


def test_that_a_point_of_the_plane_is_where_the_hand_is(hand):
    at = hand.plane.projection.plane(QPointF(10, 20))
    assert hand.plane.projection.pixel(at).x() == pytest.approx(10)
