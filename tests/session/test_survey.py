"""A survey of the methods of log Z beyond the plane."""

from __future__ import annotations

import math

import pytest

from ebmlab.session.survey import Plan, survey
from ebmlab.spec import BadInput


def finished(plan, methods):
    seen, pieces = [], survey(plan, methods)
    while True:
        try:
            seen.append(next(pieces))
        except StopIteration as end:
            return seen, end.value


def test_that_every_method_has_a_row_in_every_dimension():
    seen, found = finished(Plan(dimensions="1 2 8", budget=5000), ["quadrature", "importance"])
    assert [(row.dim, row.method) for row in found.rows] == [
        (d, method) for d in (1, 2, 8) for method in ("quadrature", "importance")
    ]
    shares = [s.share for s in seen]
    assert shares == sorted(shares)
    assert found.share == 1.0


def test_that_a_lattice_is_exact_in_the_plane_and_says_why_it_ends():
    _, found = finished(Plan(dimensions="2 16", budget=5000), ["quadrature"])
    plane, beyond = found.rows
    assert abs(plane.error) < 0.01
    assert math.isnan(beyond.log_z)
    assert beyond.why


def test_that_a_survey_draws_the_same_from_the_same_seed():
    rows = [finished(Plan(dimensions="2", budget=2000, seed=s), ["importance"])[1].rows[0].log_z for s in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]


@pytest.mark.parametrize("text", ["", "0", "1 x", "4 2", "2 2", "1 5000", "-1", "1.5"])
def test_that_dimensions_that_make_no_sense_are_refused_with_what_would(text):
    with pytest.raises(BadInput, match="give"):
        Plan(dimensions=text)


def test_that_commas_are_as_good_as_spaces():
    assert Plan(dimensions="1, 2,4").dims() == (1, 2, 4)
