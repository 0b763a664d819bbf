from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from ebmlab.engine.targets import Brush, Drawing, Eraser, Gaussian, GaussianMixture, Spray, Stamp, TwoModes
from ebmlab.engine.targets.grid import axes
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput, decode, encode

WINDOW = (-6.0, 6.0, -6.0, 6.0)
LATTICE = Lattice(WINDOW, 96, 128)
X, Y = (a.astype(np.float64) for a in np.meshgrid(*axes(LATTICE)))


def mass(*marks):
    return Drawing(marks=marks).mass(LATTICE)


def distance(path):
    """The distance of every node from a path, by brute force over fine points of it."""

    path = np.array(path)
    t = np.linspace(0, 1, 400)[:, None]
    fine = np.concatenate([a + t * (b - a) for a, b in pairwise(path)])
    return np.hypot(X[..., None] - fine[:, 0], Y[..., None] - fine[:, 1]).min(-1)


def test_that_a_stroke_is_a_tube_about_its_path():
    path = ((-3.0, -1.0), (0.0, 2.0), (2.0, -2.0))
    d = distance(path)
    expected = np.where(d < 4 * 0.5, 1.5 * np.exp(-(d**2) / (2 * 0.5**2)), 0)

    np.testing.assert_allclose(mass(Brush(path=path, radius=0.5, strength=1.5)), expected, atol=6e-4)


def test_that_a_finely_sampled_stroke_is_the_one_drawn_with_two_points():
    t = np.linspace(0, 1, 200)
    fine = tuple(zip((-3 + 6 * t).tolist(), (-2 + 4 * t).tolist()))
    coarse = ((-3.0, -2.0), (3.0, 2.0))

    np.testing.assert_allclose(mass(Brush(path=fine)), mass(Brush(path=coarse)), atol=1e-9)


def test_that_a_stroke_that_crosses_itself_counts_once_and_two_strokes_twice():
    there, back = ((-2.0, 0.0), (2.0, 0.0)), ((2.0, 0.0), (-2.0, 0.0))
    once = mass(Brush(path=there))

    np.testing.assert_allclose(mass(Brush(path=(*there, *back))), once, atol=1e-12)
    np.testing.assert_allclose(mass(Brush(path=there), Brush(path=back)), 2 * once, atol=1e-12)


def test_that_a_stroke_of_one_point_is_a_round_dot():
    d = np.hypot(X - 1, Y + 1)

    np.testing.assert_allclose(mass(Brush(path=((1.0, -1.0),), radius=0.5)), np.exp(-(d**2) / 0.5), atol=4e-4)


def test_that_a_stroke_may_leave_the_window():
    inside = mass(Brush(path=((-5.0, 0.0), (500.0, 0.0))))

    assert inside[48, -1] == pytest.approx(math.exp(-(Y[48, -1] ** 2) / (2 * 0.25**2)))


def test_that_an_eraser_takes_away_where_it_passes_and_only_before_it():
    path = ((-1.0, 0.0), (1.0, 0.0))
    stamp, eraser = Stamp(sigmas=(2.0, 2.0)), Eraser(path=path, radius=0.5)
    d = distance(path)
    left = np.where(d < 2.0, 1 - np.exp(-(d**2) / (2 * 0.5**2)), 1.0)

    np.testing.assert_allclose(mass(stamp, eraser), mass(stamp) * left, atol=1e-4)
    np.testing.assert_allclose(mass(eraser, stamp), mass(stamp), atol=1e-15)


def test_that_stamps_weigh_what_they_say():
    drawn = Drawing(marks=tuple(Stamp(centre=(x, 0.0), weight=w) for x, w in ((-3.0, 0.8), (3.0, 0.2))))
    x = Lattice(WINDOW, 30, 30).points(torch.float64)
    found, expected = (t.build(None, WINDOW).log_density(x).exp() for t in (drawn, TwoModes()))

    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)


def test_that_a_stamp_is_turned_by_its_angle():
    stamp = Stamp(centre=(1.0, -1.0), sigmas=(2.0, 0.5), angle=30.0)
    turn = np.array([[math.cos(math.pi / 6), -0.5], [0.5, math.cos(math.pi / 6)]])
    covariance = turn @ np.diag([4.0, 0.25]) @ turn.T
    law = Gaussian(mean=(1.0, -1.0), covariance=covariance.tolist()).build(None, WINDOW)

    expected = law.log_density(LATTICE.points(torch.float64)).exp().reshape(96, 128)
    np.testing.assert_allclose(mass(stamp), expected, atol=1e-12)


def test_that_the_dots_of_a_spray_stay_as_its_path_grows():
    path = ((-2.0, 0.0), (0.0, 0.0), (2.0, 0.0))
    shorter, longer = (mass(Spray(path=path[:n])) for n in (2, 3))

    assert (longer - shorter).min() > -1e-12
    assert (longer - shorter).sum() * LATTICE.cell == pytest.approx(6 * 0.5 * 2 * math.pi * 0.1**2, rel=1e-9)


def test_that_another_seed_throws_other_dots():
    path = ((0.0, 0.0), (1.0, 0.0))

    assert np.abs(mass(Spray(path=path)) - mass(Spray(path=path, seed=1))).max() > 0.1


def test_that_drawing_again_gives_the_same_and_leaves_remembered_marks_alone():
    marks = Brush(path=((-2.0, 0.0), (2.0, 0.0))), Eraser(path=((0.0, 0.0),)), Spray(path=((1.0, 1.0),)), Stamp()

    first, second = mass(*marks), mass(*marks)
    first *= 0

    np.testing.assert_array_equal(mass(*marks), second)


def test_that_a_drawing_survives_the_file_format():
    drawing = Drawing(
        marks=(
            Brush(path=((-2.0, 0.1), (2.0, 0.3)), radius=0.3),
            Spray(path=((1.0, 1.0),), seed=4),
            Eraser(path=((0.0, 0.0),)),
            Stamp(centre=(1.0, 2.0), angle=45.0),
        )
    )
    again = decode(json.loads(json.dumps(encode(drawing))), GaussianMixture(), "target")

    assert again == drawing
    np.testing.assert_array_equal(again.mass(LATTICE), drawing.mass(LATTICE))


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ((), "marks: the drawing is empty; draw something or choose another target"),
        ((Eraser(path=((0.0, 0.0),)),), "marks: the drawing holds erasers alone; draw something first"),
        ((Brush(),), "marks: the drawing leaves nothing in the window"),
        ((Spray(),), "marks: the drawing leaves nothing in the window"),
        ((Brush(path=((100.0, 0.0),)),), "marks: the drawing leaves nothing in the window"),
        ((Stamp(weight=0.0),), "marks: the drawing leaves nothing in the window"),
        ((Stamp(), *[Eraser(path=((0.0, 0.0),), radius=900.0)] * 2), "marks: the drawing leaves nothing in the window"),
    ],
)
def test_that_a_drawing_without_mass_is_refused(marks, message):
    with pytest.raises(BadInput, match=message):
        Drawing(marks=marks).build(None, WINDOW)
