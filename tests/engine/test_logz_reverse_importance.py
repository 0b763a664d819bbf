from __future__ import annotations

import math

import pytest
import torch
from normalisers import Known, gaussian, last, many, scene, two_modes

from ebmlab.engine.diagnostics import pareto_k
from ebmlab.engine.logz import ReverseImportanceSampling
from ebmlab.engine.logz.equilibrium import stuck
from ebmlab.engine.logz.reverse_importance import Law, tail_warning
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.spec import BadInput


@pytest.mark.parametrize("law", ["normal", "box"])
@pytest.mark.parametrize("exact", [True, False])
def test_that_a_law_within_the_model_finds_log_z(law, exact, rng):
    known = gaussian(2, 1.7, torch.tensor([1.0, -0.5], dtype=torch.float64))
    found = last(ReverseImportanceSampling(law=law, exact=exact, share=0.3), scene(known, exact=True), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.05
    assert found.warning == ""
    assert found.bound == ("upper" if exact else None)


@pytest.mark.parametrize("dim", [1, 3, 8])
def test_that_chains_do_where_there_are_no_exact_points(dim, rng):
    known = gaussian(dim)
    found = last(ReverseImportanceSampling(), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.1


@pytest.mark.parametrize(("law", "width"), [("normal", 3.0), ("box", 6.0)])
def test_that_a_law_wider_than_the_model_is_far_off_and_called_out(law, width):
    # The truth is 1; an error of 0.1 is shown, one of more than a nat is made.
    method = ReverseImportanceSampling(particles=4000, draws=1, law=law, width=width)
    where = scene(two_modes(log_z=1.0), exact=True)
    found = [last(method, where, seed) for seed in range(6)]
    assert all("infinite" in f.warning for f in found)
    assert sum(f.value - 1.0 > 5 * f.stderr for f in found) >= 3
    assert sorted(f.value for f in found)[3] == pytest.approx(2.2 if law == "normal" else 2.7, abs=0.5)


def test_that_with_a_narrow_law_the_weights_are_unbiased_for_the_inverse_of_z():
    known = gaussian(2)
    log_z, _ = many(ReverseImportanceSampling(particles=8, draws=1, width=0.5), scene(known, exact=True), 200)
    inverse = (known.log_z - log_z).exp()
    assert abs(inverse.mean() - 1) < 4 * inverse.std() / math.sqrt(200)
    assert log_z.mean() > known.log_z


def test_that_truth_lies_within_two_standard_errors_as_often_as_it_should():
    known = gaussian(2)
    log_z, stderr = many(ReverseImportanceSampling(particles=128, draws=3), scene(known, exact=True), 120)
    assert 0.9 <= (abs(log_z - known.log_z) < 2 * stderr).double().mean() <= 0.99


@pytest.mark.parametrize("box", [True, False])
def test_that_a_law_is_normalised(box):
    root = torch.tensor([[1.3, 0.0], [0.4, 0.7]], dtype=torch.float64)
    law = Law(torch.tensor([0.5, -1.0], dtype=torch.float64), root, box)
    t = torch.linspace(-12, 12, 1201, dtype=torch.float64)
    x = torch.cartesian_prod(t, t)
    assert (law.log_density(x).exp().sum() * 0.02**2).item() == pytest.approx(1.0, abs=2e-2 if box else 1e-9)


def test_that_a_heavy_tail_is_told_from_a_light_one(rng):
    heavy = -torch.rand(4000, generator=rng, dtype=torch.float64).log() * 0.9
    assert pareto_k(heavy) > 0.5
    assert "infinite" in tail_warning(heavy)
    assert tail_warning(torch.rand(4000, generator=rng, dtype=torch.float64)) == ""


def test_that_a_fitted_law_needs_points_besides_those_it_is_fitted_to():
    with pytest.raises(BadInput, match="at least 2"):
        ReverseImportanceSampling(draws=1)
    assert ReverseImportanceSampling(draws=1, width=2.0).draws == 1


def test_that_a_hot_sampler_is_refused():
    with pytest.raises(BadInput, match="temperature 1"):
        ReverseImportanceSampling(sampler=MetropolisLangevin(temperature=2.0))


def test_that_strides_fit_themselves_to_narrow_wells(rng):
    narrow = Known(lambda x: 50 * x.square().sum(-1), math.log(2 * math.pi / 100))
    found = last(ReverseImportanceSampling(), scene(narrow), rng)
    assert abs(found.value - narrow.log_z) < 4 * found.stderr
    assert found.stderr < 0.05


def test_that_chains_that_stand_still_are_called_out():
    assert "hardly move" in stuck(0.01)
    assert stuck(0.5) == ""
