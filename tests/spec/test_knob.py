from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmlab.spec import BadInput, Knob
from ebmlab.spec.knob import bounds, check

UNIT = Knob(help="A share.", low=0.0, high=1.0)
COUNT = Knob(help="A count.", low=1, high=10)
CHOICE = Knob(help="A choice.", choices=("left", "right"))
NAMES = Knob(help="Names.", names=True)


def vector(*shape):
    return Knob(help="An array.", shape=shape, low=-10.0, high=10.0)


@given(st.floats(0, 1))
def test_that_a_number_within_its_bounds_is_kept(value):
    assert check(UNIT, 0.5, value) == value


@given(st.floats(allow_nan=True, allow_infinity=True).filter(lambda v: not 0 <= v <= 1))
def test_that_a_number_beyond_its_bounds_is_refused_with_the_bounds(value):
    with pytest.raises(BadInput, match="from 0 to 1"):
        check(UNIT, 0.5, value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, True, "1", None, [], {}, 1j], ids=repr)
def test_that_what_is_no_finite_number_is_refused(value):
    with pytest.raises(BadInput, match="give a number"):
        check(Knob(help="Any."), 0.5, value)


def test_that_a_whole_number_may_be_written_with_a_point():
    assert check(COUNT, 1, 4.0) == 4
    assert isinstance(check(COUNT, 1, 4.0), int)
    with pytest.raises(BadInput, match="a whole number"):
        check(COUNT, 1, 4.5)


def test_that_an_integer_becomes_a_float_where_a_float_is_wanted():
    assert isinstance(check(UNIT, 0.5, 1), float)


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_that_only_true_and_false_are_truth_values(value):
    with pytest.raises(BadInput, match="true or false"):
        check(Knob(help="A switch."), True, value)


def test_that_a_choice_must_be_one_of_those_offered():
    assert check(CHOICE, "left", "right") == "right"
    with pytest.raises(BadInput, match="left or right"):
        check(CHOICE, "left", "up")


def test_that_lists_become_tuples_all_the_way_down():
    assert check(vector(2, 2), ((0.0, 0.0), (0.0, 0.0)), [[1, 2], [3, 4]]) == ((1.0, 2.0), (3.0, 4.0))


def test_that_any_length_goes_where_the_shape_is_open():
    assert check(vector(-1), (0.0,), [1, 2, 3]) == (1.0, 2.0, 3.0)
    assert check(vector(-1), (0.0,), []) == ()


@pytest.mark.parametrize(
    "value", [[1.0], [1.0, 2.0, 3.0], 1.0, "12", [1.0, "2"], [1.0, math.nan], [1.0, 11.0], [[1.0], [2.0]]]
)
def test_that_an_array_of_another_shape_or_content_is_refused(value):
    with pytest.raises(BadInput):
        check(vector(2), (0.0, 0.0), value)


def test_that_names_are_kept_sorted_whichever_way_they_are_given():
    assert check(NAMES, (), {"b": 1, "a": 2}) == (("a", 2.0), ("b", 1.0))
    assert check(NAMES, (), [["b", 1], ["a", 2]]) == (("a", 2.0), ("b", 1.0))


@pytest.mark.parametrize("value", [{"a b": 1}, {"1a": 1}, {"": 1}, {"a": "x"}, {"a": math.inf}, 3, [1, 2], [["a"]]])
def test_that_names_that_are_none_are_refused(value):
    with pytest.raises(BadInput):
        check(NAMES, (), value)


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (Knob(help="."), ""),
        (Knob(help=".", low=0.0), "of at least 0"),
        (Knob(help=".", high=2.5), "of at most 2.5"),
        (Knob(help=".", low=1e-6, high=1.0), "from 1e-06 to 1"),
    ],
)
def test_that_bounds_are_put_into_words(k, words):
    assert bounds(k) == words


def test_that_a_long_value_is_cut_short_in_the_message():
    with pytest.raises(BadInput) as caught:
        check(UNIT, 0.5, "x" * 10_000)
    assert len(str(caught.value)) < 120
