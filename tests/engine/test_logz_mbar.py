from __future__ import annotations

import math

import pytest
import torch
from normalisers import gaussian, last, many, rastrigin, ring, scene, torus, two_modes

from ebmlab.engine.logz import MultistateBennett
from ebmlab.engine.logz.logistic import Pool, most_likely
from ebmlab.engine.logz.mbar import gaping, swap
from ebmlab.engine.logz.multistate import chances, curvature, free_energies, standard_error
from ebmlab.engine.logz.population import Population
from ebmlab.engine.logz.start import Seen
from ebmlab.engine.samplers.mala import MetropolisLangevin

PLANE = {
    "gaussian": gaussian(2),
    "ring": ring(),
    "rastrigin": rastrigin(),
    "modes": two_modes(log_z=5.0),
    "walls": torus(),
}
BETAS = torch.tensor([0.0, 0.1, 0.4, 1.0], dtype=torch.float64)


def gaps(draws, ladders, rng, width=3.0):
    """Gaps at exact points of every rung between N(0, width² I) and E = |x|²/2 in the plane."""

    precision = (1 - BETAS) / width**2 + BETAS
    x = torch.randn(draws, len(BETAS), ladders, 2, generator=rng, dtype=torch.float64)
    square = x.square().sum(-1) / precision[:, None]
    return square / 2 * (1 - 1 / width**2) - math.log(2 * math.pi * width**2)


def solved(gap, betas=BETAS):
    *_, f = free_energies(gap, betas, torch.zeros_like(betas))
    return f


def test_that_the_free_energies_of_exact_points_are_those_of_the_rungs(rng):
    gap = gaps(20, 500, rng)
    f, each = solved(gap), torch.arange(10_000).view(20, 1, 500).expand_as(gap)
    assert -f[-1].item() == pytest.approx(math.log(2 * math.pi), abs=4 * standard_error(gap, BETAS, f, each))
    # log Z_β = log 2π/precision - (1 - β) log 2πσ²
    middle = math.log(2 * math.pi / (0.6 / 9 + 0.4)) - 0.6 * math.log(2 * math.pi * 9)
    assert -f[2].item() == pytest.approx(middle, abs=0.05)


def test_that_every_rung_is_expected_to_own_what_it_has(rng):
    gap = gaps(3, 100, rng)
    torch.testing.assert_close(chances(gap, BETAS, solved(gap)).sum(0), torch.full((4,), 300.0, dtype=torch.float64))


def test_that_the_free_energies_solve_the_equations_of_shirts_and_chodera(rng):
    gap = gaps(2, 100, rng)
    f, g = solved(gap), gap.reshape(-1, 1)
    mixture = torch.logsumexp(f - BETAS * g, -1) + math.log(200)
    own = -torch.logsumexp(-BETAS * g - mixture[:, None], 0)
    torch.testing.assert_close(own - own[0], f)


def test_that_two_rungs_are_bennett_s_acceptance_ratio(rng):
    gap = gaps(1, 400, rng)[:, [0, 3]]
    pool = Pool(-gap[:, 1], -gap[0, 0], torch.arange(400))
    assert -solved(gap, BETAS[[0, 3]])[-1].item() == pytest.approx(most_likely(pool), abs=1e-8)


def test_that_the_error_is_the_asymptotic_covariance_where_points_are_independent(rng):
    gap = gaps(1, 20_000, rng)
    f = solved(gap)
    w = chances(gap, BETAS, f) / 20_000
    covariance = w.T @ w
    n = 20_000 * torch.eye(4, dtype=torch.float64)
    theta = torch.linalg.pinv(torch.linalg.inv(covariance) - n, rtol=1e-9)
    known = theta[3, 3] - 2 * theta[3, 0] + theta[0, 0]
    family = torch.arange(80_000).view(gap.shape)
    assert standard_error(gap, BETAS, f, family) == pytest.approx(known.sqrt().item(), rel=0.02)


def test_that_copies_say_nothing_new(rng):
    gap = gaps(1, 300, rng)
    f, family = solved(gap), torch.arange(1200).view(gap.shape)
    once = standard_error(gap, BETAS, f, family)
    assert standard_error(gap.repeat(3, 1, 1), BETAS, f, family.repeat(3, 1, 1)) == pytest.approx(once, rel=1e-6)


def test_that_information_is_the_curvature_of_the_likelihood(rng):
    gap = gaps(1, 20, rng)
    f = torch.tensor([0.0, -0.5, -1.0, -1.5], dtype=torch.float64)

    def loss(g):
        logits = torch.cat([f[:1], g]) - BETAS * gap.reshape(-1, 1)
        return torch.logsumexp(logits, -1).sum() - 20 * g.sum()

    hessian = torch.autograd.functional.hessian(loss, f[1:])
    torch.testing.assert_close(curvature(chances(gap, BETAS, f)), hessian, atol=1e-8, rtol=0)


def test_that_newton_s_method_finds_its_way_from_a_bad_guess(rng):
    gap = gaps(1, 100, rng)
    *_, f = free_energies(gap, BETAS, torch.tensor([0.0, 40.0, -70.0, 300.0], dtype=torch.float64))
    torch.testing.assert_close(f, solved(gap))


def population(beta, gap):
    n = len(gap)
    x = torch.full((n, 2), beta, dtype=torch.float64)
    gap = torch.as_tensor(gap, dtype=torch.float64)
    return Population(beta, Seen(x, gap, x), gap, torch.zeros(n), torch.arange(n), torch.ones(()))


def test_that_swaps_are_as_likely_as_detailed_balance_asks(rng):
    n = 4000
    replicas = [population(0.25, [1.0] * n), population(0.75, [0.0] * n), population(1.0, [0.0] * n)]
    chance = swap(replicas, 0, rng)
    assert chance.tolist() == pytest.approx([math.exp(-0.5), 1.0])
    swaps = (replicas[0].gap == 0).double().mean()
    assert swaps == pytest.approx(math.exp(-0.5), abs=0.04)
    torch.testing.assert_close(replicas[0].seen.x[:, 0] == 0.75, replicas[0].gap == 0)
    torch.testing.assert_close(replicas[0].gap + replicas[1].gap, torch.ones(n, dtype=torch.float64))
    assert bool((replicas[2].seen.x == 1.0).all())


@pytest.mark.parametrize("known", PLANE.values(), ids=PLANE)
def test_that_mbar_finds_log_z_in_the_plane(known, rng):
    found = last(MultistateBennett(draws=8), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < (0.5 if known.energy(torch.full((1, 2), 4.0)).isinf() else 0.25)  # walls make a coarse ladder
    assert found.warning == ""


@pytest.mark.parametrize("dim", [1, 8])
def test_that_mbar_carries_on_as_the_dimension_grows(dim, rng):
    known = gaussian(dim)
    found = last(MultistateBennett(draws=8), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.3


def test_that_rungs_that_hardly_overlap_are_called_out(rng):
    known = gaussian(2, 0.02)
    assert (
        "hardly overlap" in last(MultistateBennett(rungs=2, power=1.0, draws=4, burn_in=30), scene(known), rng).warning
    )
    assert gaping(torch.tensor([0.5, 0.01, 0.3])).startswith("rungs 1 and 2")


def test_that_replicas_that_stand_still_are_called_out(rng):
    method = MultistateBennett(rungs=1, draws=2, burn_in=0, sampler=MetropolisLangevin(step_size=10.0))
    assert "hardly move" in last(method, scene(gaussian(2, 0.05)), rng).warning


def test_that_what_no_particle_has_reached_is_called_out(rng):
    where = scene(gaussian(2))._replace(energy=lambda x: x.sum(-1) + math.inf)
    found = last(MultistateBennett(particles=8), where, rng)
    assert math.isnan(found.value)
    assert found.progress == 1.0
    assert "no particle" in found.warning


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_that_truth_lies_within_two_standard_errors_as_often_as_it_should():
    known = two_modes(log_z=1.0)
    log_z, stderr = many(MultistateBennett(particles=48, draws=6, burn_in=3, rungs=8, width=4.0), scene(known), 40)
    assert 0.85 <= (abs(log_z - known.log_z) < 2 * stderr).double().mean() <= 1.0
    assert 0.65 < stderr.mean() / log_z.std() < 1.5
