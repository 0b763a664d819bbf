from __future__ import annotations

import pytest

from ebmlab.gui.scales import Scale, read, scale, written
from ebmlab.spec import Knob

SCALES = [
    Scale(low=0.0, high=4.0),
    Scale(low=0.0, high=0.9999),
    Scale(low=1e-4, high=1.0, log=True),
    Scale(low=0.0, high=10.0, log=True),
    Scale(low=1, high=8, whole=True),
    Scale(low=1, high=1024, log=True, whole=True),
    Scale(low=0, high=1_000_000, whole=True),
]


@pytest.mark.parametrize("s", SCALES)
def test_that_the_ends_of_a_slider_are_the_ends_of_its_range(s):
    assert (s.value(0), s.value(s.ticks)) == (s.low, s.high)
    assert (s.place(s.low), s.place(s.high)) == (0, s.ticks)


@pytest.mark.parametrize("s", SCALES)
def test_that_a_slider_never_falls_as_it_moves_to_the_right(s):
    values = [s.value(place) for place in range(s.ticks + 1)]
    assert values == sorted(values)
    assert len(set(values)) > 100 or s.ticks == 7


@pytest.mark.parametrize("s", SCALES)
def test_that_showing_a_slid_value_leaves_the_slider_near_where_it_was(s):
    for place in range(0, s.ticks + 1, 7):
        value = s.value(place)
        assert s.value(s.place(value)) == pytest.approx(value, rel=0.06, abs=0.02 * (not s.log) * (s.high - s.low))


def test_that_equal_ways_on_a_log_slider_are_equal_factors():
    s = Scale(low=1e-4, high=1.0, log=True)
    assert [s.value(place) for place in (250, 500, 750)] == [1e-3, 1e-2, 1e-1]


def test_that_a_value_beyond_the_slider_puts_it_at_its_end():
    s = Scale(low=1e-4, high=1.0, log=True)
    assert (s.place(0.0), s.place(1e-9), s.place(5.0)) == (0, 0, s.ticks)


def test_that_a_log_slider_from_zero_has_zero_at_its_very_left():
    s = Scale(low=0.0, high=10.0, log=True)
    assert s.value(0) == 0.0
    assert s.value(1) == pytest.approx(1e-4, rel=0.05)


def test_that_whole_numbers_stay_whole_on_every_place():
    for s in SCALES[4:]:
        assert all(isinstance(s.value(place), int) for place in range(s.ticks + 1))


def test_that_the_soft_range_narrows_the_slider_and_no_range_means_none():
    assert scale(Knob(help="", low=0.0, high=100.0, soft=(0.0, 4.0)), whole=False) == Scale(low=0.0, high=4.0)
    assert scale(Knob(help="", low=0.0), whole=False) is None


@pytest.mark.parametrize("value", [0, 7, -3, 0.1, 1e-5, 1.5e-7, 123456.789, 1e21, 1 / 3])
def test_that_written_numbers_read_back_without_loss(value):
    assert read(written(value)) == value


def test_that_numbers_are_written_without_ballast():
    assert [written(v) for v in (1e-5, 1.5e-7, 2.0, 3)] == ["1e-5", "1.5e-7", "2.0", "3"]


def test_that_a_true_minus_and_a_comma_are_read_and_nonsense_is_handed_on():
    assert (read("−0,5"), read(" 1e3 "), read("abc")) == (-0.5, 1000.0, "abc")
