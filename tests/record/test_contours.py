import numpy as np
import pytest

from ebmlab.record.contours import contours, sparser

WINDOW = (-3.0, 3.0, -2.0, 2.0)


def grid(columns=120, rows=80):
    x = -3 + 6 * (np.arange(columns) + 0.5) / columns
    y = -2 + 4 * (np.arange(rows) + 0.5) / rows
    return np.meshgrid(x, y)


def test_that_the_contour_of_a_paraboloid_is_one_closed_circle():
    x, y = grid()
    (line,) = contours(x**2 + y**2, [1.0], WINDOW)
    np.testing.assert_array_equal(line[0], line[-1])
    np.testing.assert_allclose(np.hypot(*line.T), 1.0, atol=2e-3)
    area = 0.5 * np.sum(line[:-1, 0] * line[1:, 1] - line[1:, 0] * line[:-1, 1])
    assert abs(area) == pytest.approx(np.pi, rel=2e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_that_the_higher_side_is_on_the_left(sign):
    x, y = grid()
    (line,) = contours(sign * (x**2 + y**2), [sign * 1.0], WINDOW)
    area = 0.5 * np.sum(line[:-1, 0] * line[1:, 1] - line[1:, 0] * line[:-1, 1])
    assert np.sign(area) == -sign


def test_that_the_contour_of_a_plane_is_one_straight_line_from_border_to_border():
    x, y = grid()
    (line,) = contours(x + 0.5 * y, [0.3], WINDOW)
    np.testing.assert_allclose(line @ [1, 0.5], 0.3, atol=1e-9)
    assert abs(line[0, 1] - line[-1, 1]) > 3.9


def test_that_every_level_has_its_own_lines():
    x, y = grid()
    lines = contours(x**2 + y**2, [0.25, 1.0, 2.25], WINDOW)
    assert sorted(round(float(np.hypot(*line[0])), 1) for line in lines) == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("level", [-0.01, 0.01])
def test_that_no_two_lines_cross_at_a_saddle(level):
    x, y = grid(41, 31)
    lines = contours(x * y, [level], WINDOW)
    assert len(lines) == 2
    for line in lines:
        assert len(np.unique(np.sign(line[:, 0]))) == 1


def test_that_random_fields_give_lines_that_only_end_at_the_border():
    field = np.random.default_rng(0).normal(size=(30, 40))
    half = np.array([0.5 * 6 / 40, 0.5 * 4 / 30])
    for line in contours(field, [-0.5, 0.0, 0.5], WINDOW):
        if not np.array_equal(line[0], line[-1]):
            for x, y in (line[0], line[-1]):
                assert 3 - abs(x) == pytest.approx(half[0]) or 2 - abs(y) == pytest.approx(half[1])


def test_that_no_line_goes_where_the_field_is_not_finite():
    x, y = grid()
    field = np.where(x > 0, -np.inf, x**2 + y**2)
    lines = contours(field, [1.0], WINDOW)
    assert lines
    assert all((line[:, 0] < 0).all() for line in lines)


def test_that_a_level_beyond_the_field_gives_nothing():
    x, _ = grid()
    assert contours(x, [10.0], WINDOW) == []


@pytest.mark.parametrize("most", [120, 64, 40, 25])
def test_that_a_line_through_fewer_nodes_stays_where_it_is(most):
    x, y = grid()
    field, window = sparser(x + 0.5 * y, WINDOW, most)
    assert max(field.shape) <= most
    (line,) = contours(field, [0.3], window)
    np.testing.assert_allclose(line @ [1, 0.5], 0.3, atol=1e-9)
