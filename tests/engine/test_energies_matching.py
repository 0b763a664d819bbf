"""Kinds of energy at the same number of parameters."""

from dataclasses import replace

import pytest
import torch

from ebmlab.engine.energies import ENERGIES, MLP, RBF, Formula, Product, Quadratic, count, matched
from ebmlab.spec import BadInput

SIZED = {kind: cls() for kind, cls in ENERGIES.items() if cls.size}


def parameters(spec, dim=2):
    return count(spec.build(torch.Generator().manual_seed(3), dim))


@pytest.mark.parametrize("kind", SIZED)
@pytest.mark.parametrize("wanted", [1000, 5000])
def test_that_a_kind_is_brought_to_the_wanted_number_of_parameters(kind, wanted):
    spec = SIZED[kind]
    found = matched(spec, wanted)
    assert abs(parameters(found) - wanted) <= wanted / 10
    assert replace(found, **{spec.size: getattr(spec, spec.size)}) == spec


@pytest.mark.parametrize("kind", SIZED)
def test_that_no_neighbouring_size_comes_nearer(kind):
    found = matched(SIZED[kind], 1000)
    size = getattr(found, found.size)
    apart = abs(parameters(found) - 1000)
    for other in {max(1, size - 1), size + 1}:
        try:
            neighbour = replace(found, **{found.size: other})
        except BadInput:
            continue  # beyond the knob's bounds
        assert abs(parameters(neighbour) - 1000) >= apart


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_that_a_reachable_number_is_hit_exactly_in_any_dimension(dim):
    spec = MLP(width=37, depth=3)
    assert matched(MLP(depth=3), parameters(spec, dim), dim) == spec
    assert matched(Product(), parameters(Product(hidden=211), dim), dim) == Product(hidden=211)


def test_that_the_least_and_the_greatest_size_can_be_had():
    assert matched(RBF(), 5) == RBF(count=1)
    assert matched(RBF(), 4 * 4096 + 1) == RBF(count=4096)


@pytest.mark.parametrize("spec", [Quadratic(), Formula()])
def test_that_a_kind_of_one_size_is_refused_by_name(spec):
    with pytest.raises(BadInput, match=f"{spec.kind} has no knob"):
        matched(spec, 100)


@pytest.mark.parametrize("wanted", [3, 100_000])
def test_that_a_number_out_of_reach_is_refused_with_the_nearest(wanted):
    with pytest.raises(BadInput, match=f"no nearer to {wanted} parameters than {5 if wanted == 3 else 16385}"):
        matched(RBF(), wanted)
