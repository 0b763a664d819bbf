import numpy as np
import pytest

from ebmlab.record.raster import Levels, Raster, nice, paint

WINDOW = (-2.0, 2.0, -1.0, 1.0)
GREY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)


def ramp(n=32, m=16):
    x = -2 + 4 * (np.arange(n) + 0.5) / n
    y = -1 + 2 * (np.arange(m) + 0.5) / m
    return np.meshgrid(x, y)


def test_that_the_first_row_of_a_picture_is_the_top_of_the_field():
    _, y = ramp()
    picture = paint(y, GREY, Levels(-1, 1))
    assert picture.shape == (16, 32, 3)
    assert picture[0, 0, 0] > picture[-1, 0, 0]


def test_that_levels_may_run_downwards():
    x, _ = ramp()
    up, down = paint(x, GREY, Levels(-2, 2)), paint(x, GREY, Levels(2, -2))
    np.testing.assert_allclose(up.astype(int) + down, 255, atol=1)


def test_that_values_beyond_the_levels_take_the_last_colour_and_unknown_ones_the_ground():
    field = np.array([[-np.inf, 0.0, np.inf, np.nan]])
    assert paint(field, GREY, Levels(-1, 1))[0, :, 0].tolist() == [0, 128, 255, 0]
    assert paint(field, GREY, Levels.about_zero(1.0))[0, 3, 0] in (127, 128)


def test_that_a_linear_field_stays_linear_when_enlarged():
    x, y = ramp()
    got = Raster(50, 100).enlarge(x + 2 * y, Levels(-4, 4), WINDOW, (-1.5, 1.5, -0.75, 0.75)).astype(float)
    px = -1.5 + 3 * (np.arange(100) + 0.5) / 100
    py = 0.75 - 1.5 * (np.arange(50) + 0.5) / 50
    expected = (px + 2 * py[:, None] + 4) / 8 * 255
    np.testing.assert_allclose(got, expected, atol=0.51)


@pytest.mark.parametrize(("levels", "ground"), [(Levels(-2, 2), {0}), (Levels.about_zero(2.0), {127, 128})])
def test_that_beyond_its_window_a_field_has_the_colour_of_the_ground(levels, ground):
    got = Raster(40, 80).enlarge(np.full((16, 32), 2.0), levels, WINDOW, (-4, 4, -2, 2))
    assert got[20, 40] == 255
    for corner in (got[0, 0], got[-1, -1], got[20, 0], got[0, 40]):
        assert corner in ground


def test_that_a_peak_is_painted_where_it_is():
    x, y = ramp(128, 64)
    field = np.exp(-((x - 0.7) ** 2 + (y + 0.3) ** 2) / 0.02)
    got = Raster(100, 200).enlarge(field, Levels(0, 1), WINDOW, WINDOW).astype(float)
    rows, columns = np.indices(got.shape) + 0.5
    assert (got * columns).sum() / got.sum() / 50 - 2 == pytest.approx(0.7, abs=0.01)
    assert 1 - (got * rows).sum() / got.sum() / 50 == pytest.approx(-0.3, abs=0.01)


@pytest.mark.parametrize(("value", "rounded"), [(0.31, 0.5), (1.0, 1.0), (1.01, 2.0), (5.1, 10.0), (3e-7, 5e-7)])
def test_that_a_nice_number_is_the_next_of_one_two_five(value, rounded):
    assert nice(value) == pytest.approx(rounded)
