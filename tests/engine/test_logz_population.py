from __future__ import annotations

import math

import pytest
import torch
from normalisers import double_well, gaussian, last, many, rastrigin, ring, scene, torus, two_modes

from ebmlab.engine.diagnostics import weights_ess
from ebmlab.engine.logz import SequentialMonteCarlo
from ebmlab.engine.logz.population import Tempering, clustered_error, lineages, reach, shortened, systematic
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.spec import BadInput

PLANE = {
    "ring": ring(),
    "well": double_well(),
    "rastrigin": rastrigin(),
    "modes": two_modes(log_z=5.0),
    "walls": torus(),
}


@pytest.mark.parametrize("known", PLANE.values(), ids=PLANE)
@pytest.mark.parametrize("rungs", [0, 32])
def test_that_smc_finds_log_z_in_the_plane(known, rungs, rng):
    found = last(SequentialMonteCarlo(rungs=rungs), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.3
    assert found.warning == ""


@pytest.mark.parametrize("dim", [1, 4, 16, 32])
def test_that_smc_carries_on_as_the_dimension_grows(dim, rng):
    known = gaussian(dim)
    found = last(SequentialMonteCarlo(), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.4


def test_that_on_a_fixed_schedule_smc_is_unbiased_in_z():
    method = SequentialMonteCarlo(particles=16, rungs=5, steps=1, width=4.0)
    log_z, _ = many(method, scene(two_modes()), 100)
    z = log_z.exp()
    assert abs(z.mean() - 1) < 4 * z.std() / math.sqrt(100)
    assert z.std() < 1
    assert log_z.mean() < -0.01


def test_that_the_schedule_follows_the_weights(rng):
    known = gaussian(2)
    where = scene(known)
    start = start_for(where, 0.0, 1.0)
    climb = Tempering(MetropolisLangevin(), 2, 0.6).climb(known.energy, start, start.sample(400, rng), rng)
    betas = [p.beta for p in climb if p.settled][1:]
    assert betas[-1] == 1.0
    assert betas == sorted(set(betas))
    assert betas[0] < 0.02


def test_that_a_rung_is_as_far_as_the_weights_reach(rng):
    gap = torch.randn(500, generator=rng, dtype=torch.float64).square() * 50
    log_w = torch.zeros(500, dtype=torch.float64)
    beta = reach(log_w, gap, 0.1, 0.4)
    assert weights_ess(log_w - (beta - 0.1) * gap) == pytest.approx(200, rel=1e-6)
    assert reach(log_w, gap / 1e4, 0.1, 0.4) == 1.0


def test_that_hard_walls_take_a_rung_of_their_own():
    gap = torch.tensor([math.inf] * 90 + [0.0] * 10, dtype=torch.float64)
    assert 0 < reach(torch.zeros_like(gap), gap, 0.0, 0.5) < 1e-9


@pytest.mark.parametrize("u", [0.0, 0.37, 0.999])
def test_that_offspring_are_as_many_as_the_weight_calls_for(u, rng):
    log_w = torch.randn(300, generator=rng, dtype=torch.float64)
    offspring = torch.bincount(systematic(log_w, u), minlength=300)
    due = 300 * log_w.softmax(0)
    assert offspring.sum() == 300
    assert bool((offspring >= due.floor()).all())
    assert bool((offspring <= due.ceil()).all())


def test_that_a_particle_without_weight_has_no_offspring():
    log_w = torch.tensor([-math.inf, 0.0, -math.inf, 1.0, -math.inf])
    assert set(systematic(log_w, 0.0).tolist()) == {1, 3}


def test_that_equal_weights_leave_the_population_as_it_is():
    assert systematic(torch.zeros(7, dtype=torch.float64), 0.5).tolist() == list(range(7))


def test_that_families_share_all_the_weight_there_is(rng):
    log_w = torch.randn(40, generator=rng, dtype=torch.float64) - 800
    ancestor = torch.randint(40, (40,), generator=rng)
    families = lineages(log_w, ancestor)
    torch.testing.assert_close(torch.logsumexp(families, 0), torch.logsumexp(log_w, 0))
    torch.testing.assert_close(families[ancestor[0]], torch.logsumexp(log_w[ancestor == ancestor[0]], 0))
    assert bool(families.isneginf().any())


def test_that_values_of_their_own_have_the_usual_error_and_copies_no_less(rng):
    value = torch.randn(50, generator=rng, dtype=torch.float64)
    own = clustered_error(value, torch.arange(50))
    assert own == pytest.approx(value.std().item() / math.sqrt(50))
    copies = clustered_error(value.repeat_interleave(4), torch.arange(50).repeat_interleave(4))
    assert copies == pytest.approx(own, rel=0.02)


def test_that_strides_shorten_where_few_are_taken_and_never_exceed_the_sampler_s():
    one = torch.ones(())
    assert shortened(one, torch.zeros(3)) == pytest.approx(math.exp(-0.6))
    assert shortened(one, torch.ones(3)) == 1.0


def test_that_what_no_particle_has_reached_is_called_out(rng):
    known = gaussian(2)
    found = last(SequentialMonteCarlo(particles=16), scene(known)._replace(energy=lambda x: x.sum(-1) + math.inf), rng)
    assert found.value == -math.inf
    assert found.warning == "no weight is a number above 0"


@pytest.mark.parametrize("kind", [SequentialMonteCarlo])
def test_that_a_population_needs_a_sampler_of_the_model_itself(kind):
    with pytest.raises(BadInput, match="temperature 1"):
        kind(sampler=MetropolisLangevin(temperature=2.0))


@pytest.mark.slow
@pytest.mark.parametrize("known", [gaussian(2), two_modes(log_z=1.0)], ids=["gaussian", "modes"])
def test_that_truth_lies_within_two_standard_errors_of_smc_as_often_as_it_should(known):
    log_z, stderr = many(SequentialMonteCarlo(particles=128), scene(known), 60)
    assert 0.88 <= (abs(log_z - known.log_z) < 2 * stderr).double().mean() <= 1.0
    assert 0.7 < stderr.mean() / log_z.std() < 1.4
