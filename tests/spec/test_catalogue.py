from __future__ import annotations

from dataclasses import dataclass

import pytest

from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.session.recipe import Recipe
from ebmlab.spec import Component, knob, page
from ebmlab.spec.catalogue import describe, note


@dataclass(frozen=True, kw_only=True)
class Well(Component):
    r"""A well.

    .. math:: E(x) = a x^2,
        \qquad a > 0

    It has one minimum, see :math:`x = 0`.

    .. math:: Z = \sqrt{\pi / a}

    References:
        | Wells (Digger, 1901)
        | https://example.org/wells
        | Deeper wells (Digger & Son, 1930)
    """

    depth: float = knob(0.25, "Depth a.", low=0.0, high=9.0, live=False)
    side: str = knob("left", "Side.", choices=("left", "right"))


def test_that_a_docstring_is_taken_apart():
    p = page(Well)
    assert p.title == "A well"
    assert p.equations == (r"E(x) = a x^2, \qquad a > 0", r"Z = \sqrt{\pi / a}")
    assert p.text == "It has one minimum, see :math:`x = 0`."
    assert p.references == (
        ("Wells (Digger, 1901)", "https://example.org/wells"),
        ("Deeper wells (Digger & Son, 1930)", ""),
    )


def test_that_a_page_is_the_same_of_a_class_and_of_its_values():
    assert page(Well) == page(Well(depth=1.0))


def test_that_a_description_is_plain_text():
    text = describe(Well)
    assert "    E(x) = a x^2" in text
    assert "see x = 0." in text
    assert "depth = 0.25  Depth a. (from 0 to 9; restarts the run)" in text
    assert "https://example.org/wells" in text


@pytest.mark.parametrize(
    ("name", "words"), [("depth", "from 0 to 9; restarts the run"), ("side", "one of left, right")]
)
def test_that_a_note_says_range_and_whether_the_run_restarts(name, words):
    declared = {n: k for n, _, k in page(Well).knobs}
    assert note(declared[name]) == f"({words})"


def test_that_a_component_that_cites_nobody_has_no_references():
    assert page(Recipe).references == ()


def test_that_parts_are_named_by_their_kind():
    assert "estimator = pcd" in describe(Recipe)
    assert page(UnadjustedLangevin).equations
