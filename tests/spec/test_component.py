from __future__ import annotations

import dataclasses
import pickle
from dataclasses import dataclass

import pytest

from ebmlab.engine.estimators import DenoisingScoreMatching
from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput, Component, amend, changes, knob, knobs, rebuilds


@dataclass(frozen=True, kw_only=True)
class Span(Component):
    """An interval."""

    left: float = knob(0.0, "Left end.")
    right: float = knob(1.0, "Right end.", live=False)
    count: int = knob(2, "Points in it.", low=1)

    def validate(self) -> None:
        if self.left >= self.right:
            raise BadInput("left must be below right; try 0 and 1", key="left")


def test_that_values_are_put_into_their_normal_form():
    assert Span(left=-1, count=3.0) == Span(left=-1.0, count=3)


def test_that_a_component_never_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Span().left = 0.5


def test_that_knobs_must_fit_together_when_it_is_made_and_when_it_is_replaced():
    with pytest.raises(BadInput, match="left must be below right"):
        Span(left=2.0)
    with pytest.raises(BadInput):
        dataclasses.replace(Span(), right=-1.0)


def test_that_a_fault_names_its_knob():
    with pytest.raises(BadInput) as caught:
        Span(count=0)
    assert caught.value.key == "count"


def test_that_knobs_come_in_the_order_of_their_declaration():
    assert [name for name, _, _ in knobs(Span)] == ["left", "right", "count"]


def test_that_only_what_differs_is_a_change():
    assert list(changes(Span(), Span())) == []
    assert dict(changes(Span(), Span(left=0.5, right=2.0))) == {"left": True, "right": False}


@pytest.mark.parametrize(
    ("path", "value", "paths"),
    [
        ("batch", "32", set()),
        ("optimizer.rate", "0.1", set()),
        ("optimizer", "sgd", set()),
        ("estimator", "dsm", set()),
        ("estimator.sampler.step_size", "0.1", set()),
        ("energy.confinement", "0.5", set()),
        ("target", "gaussian", set()),
        ("log_z", "[]", set()),
        ("seed", "1", {"seed"}),
        ("energy.width", "7", {"energy.width"}),
        ("energy.depth", "3", {"energy.depth"}),
    ],
)
def test_that_only_the_shape_of_the_energy_and_the_seed_start_afresh(path, value, paths):
    assert rebuilds(Recipe(), amend(Recipe(), path, value)) == paths


def test_that_a_part_of_another_kind_is_one_change():
    assert dict(changes(Recipe(), Recipe(estimator=DenoisingScoreMatching()))) == {"estimator": True}


def test_that_a_fault_travels_and_keeps_its_place():
    fault = BadInput("too much; give less", key="batch").within("recipe", "r.json")
    again = pickle.loads(pickle.dumps(fault))
    assert str(again) == str(fault) == "r.json: recipe.batch: too much; give less"
    assert (again.key, again.source) == ("recipe.batch", "r.json")


def test_that_a_fault_is_one_line():
    assert "\n" not in str(BadInput("two\nlines", key="a"))
