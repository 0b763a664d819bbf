from __future__ import annotations

from dataclasses import dataclass

import pytest

from ebmlab.spec import FAMILIES, BadInput, Component, Registry, knob


@pytest.fixture
def family():
    registry = Registry("fruit")
    yield registry
    del FAMILIES["fruit"]


@dataclass(frozen=True, kw_only=True)
class Apple(Component):
    """An apple."""

    weight: float = knob(0.1, "Weight in kilograms.", low=0.0)


def test_that_a_registered_class_knows_its_family_and_kind(family):
    family.register("apple")(Apple)
    assert (Apple.family, Apple.kind) == ("fruit", "apple")
    assert dict(family) == {"apple": Apple}
    assert FAMILIES["fruit"] is family


def test_that_a_kind_is_registered_once(family):
    family.register("apple")(Apple)
    with pytest.raises(ValueError, match="registered twice"):
        family.register("apple")(Apple)


@pytest.mark.parametrize("kind", ["appel", "Apple", "", 3, None, ["apple"]])
def test_that_an_unknown_kind_is_answered_with_the_nearest(family, kind):
    family.register("apple")(Apple)
    with pytest.raises(BadInput, match="did you mean apple"):
        family.find(kind)


def test_that_kinds_keep_the_order_of_their_registration(family):
    for kind in ("pear", "apple", "quince"):
        family.register(kind)(type(kind, (Apple,), {"__doc__": "A fruit."}))
    assert list(family) == ["pear", "apple", "quince"]
