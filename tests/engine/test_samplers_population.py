"""Samplers whose points see each other: sequential Monte Carlo and Stein variational gradient descent."""

from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, assert_covariance, bowl, double_well, excess, isotropic, moments, quadratic, run, watch
from normalisers import two_modes

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers import SequentialMonteCarlo, SteinVariationalGradientDescent
from ebmlab.engine.samplers.smc import log_weights, next_stride, systematic
from ebmlab.engine.samplers.svgd import bandwidth
from ebmlab.spec import BadInput

GAUSSIAN = quadratic(torch.linalg.inv(CORRELATED))
MODES = two_modes().energy


def climbed(sampler, energy, n, rng, dim=2):
    """The particles when they have just reached the last rung."""

    chains = sampler.init(energy, torch.zeros(n, dim, dtype=torch.float64))
    betas = []
    while chains.extra != 1:
        chains, _ = sampler.step(energy, chains, rng)
        betas.append(chains.extra)
        assert len(betas) < 30
    assert betas == sorted(betas)
    return chains


@pytest.mark.parametrize(("energy", "half", "k"), [(double_well, 2.5, 8), (MODES, 5.0, 12)], ids=["well", "modes"])
def test_that_a_population_passes_chi_square_on_the_last_rung(energy, half, k, rng):
    chains = climbed(SequentialMonteCarlo(), energy, 10_000, rng)
    assert excess(chains.x, energy, half, k) < 4
    for _ in range(2):
        chains, _ = SequentialMonteCarlo().step(energy, chains, rng)
    assert chains.extra == 1
    assert excess(chains.x, energy, half, k) < 4


def test_that_a_population_finds_the_weights_of_far_modes_whatever_its_start(rng):
    x = climbed(SequentialMonteCarlo(steps=3), MODES, 10_000, rng).x
    assert (x[:, 0] < 0).double().mean().item() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_that_a_population_samples_the_temperature_it_names(temperature, rng):
    sampler = SequentialMonteCarlo(temperature=temperature, steps=8)
    assert sampler.temperature_sampled() == temperature
    assert_covariance(climbed(sampler, GAUSSIAN, 20_000, rng).x, temperature * CORRELATED)


@pytest.mark.parametrize("dim", [1, 3, 8])
def test_that_a_population_climbs_in_any_dimension(dim, rng):
    x = climbed(SequentialMonteCarlo(steps=8), bowl(1.0), 10_000, rng, dim).x
    assert x.square().mean().item() == pytest.approx(1.0, abs=0.05)


def test_that_the_first_transition_draws_the_broad_law_and_the_start_is_forgotten(rng):
    sampler = SequentialMonteCarlo(width=3.0)
    x, info = run(sampler, double_well, isotropic(20_000, 0.1, rng), 1, rng)
    assert_covariance(x, 9.0 * torch.eye(2, dtype=torch.float64))
    assert info.accept.eq(1).all()


def test_that_a_rung_leaves_the_share_asked_for_effective(rng):
    gap = double_well(isotropic(5000, 4.0, rng))
    for share in (0.4, 0.9):
        w = log_weights(gap, next_stride(gap, share, 1.0)).exp()
        assert (w.sum() ** 2 / w.square().sum() / len(w)).item() == pytest.approx(share, abs=1e-6)
    assert next_stride(1e-9 * gap, 0.5, 0.25) == 0.25


def test_that_systematic_resampling_copies_each_within_one_of_its_share(rng):
    log_w = torch.randn(1000, generator=rng, dtype=torch.float64) * 2
    log_w[3] = -torch.inf
    counts = torch.bincount(systematic(log_w, rng), minlength=1000)
    assert (counts - 1000 * log_w.softmax(0)).abs().max() < 1
    assert counts[3] == 0
    mean = torch.stack([torch.bincount(systematic(log_w[:6], rng), minlength=6) for _ in range(3000)]).double().mean(0)
    assert (mean - 6 * log_w[:6].softmax(0)).abs().max() < 4.5 * 0.5 / math.sqrt(3000)


def test_that_particles_without_a_finite_energy_die(rng):
    def half(x):
        return torch.where(x[..., 0] > 0, x.square().sum(-1) / 2, torch.inf)

    x = climbed(SequentialMonteCarlo(), half, 4000, rng).x
    assert x[:, 0].min() > 0
    assert x[:, 0].mean().item() == pytest.approx(math.sqrt(2 / math.pi), abs=0.05)
    with pytest.raises(BadInput, match="finite at no particle"):
        climbed(SequentialMonteCarlo(), lambda x: x.sum(-1) * torch.nan, 10, rng)


def test_that_a_changed_energy_finds_the_population_on_its_rung(rng):
    sampler = SequentialMonteCarlo()
    chains = climbed(sampler, bowl(1.0), 50, rng)
    after = sampler.refresh(bowl(3.0), chains)
    assert (after.extra, after.x.equal(chains.x)) == (1.0, True)
    torch.testing.assert_close(after.energy, bowl(3.0)(chains.x))
    seen, _ = watch(sampler.stages(bowl(3.0), after, rng))
    assert [s.name for s in seen] == ["proposal", "accepted"] * 5


def test_that_rungs_show_who_is_resampled(rng):
    sampler = SequentialMonteCarlo(steps=1)
    chains, _ = sampler.step(double_well, sampler.init(double_well, isotropic(200, 1.0, rng)), rng)
    seen, _ = watch(sampler.stages(double_well, chains, rng))
    assert [s.name for s in seen] == ["resample", "proposal", "accepted"]
    before, after = ({tuple(p) for p in x.tolist()} for x in (chains.x, seen[0].points))
    assert after < before


# Stein


@pytest.mark.parametrize("dim", [1, 2, 8])
def test_that_a_single_particle_climbs_to_the_mode(dim, rng):
    start = isotropic(2, 1.0, rng, dim)[:1] if dim == 1 else torch.randn(1, dim, generator=rng, dtype=torch.float64)
    x, info = run(SteinVariationalGradientDescent(step_size=0.1), bowl(2.0), start, 6, rng)
    torch.testing.assert_close(x, 0.8**6 * start)
    assert info.accept.tolist() == [1.0]


def test_that_the_drift_is_that_of_its_definition(rng):
    sampler = SteinVariationalGradientDescent(bandwidth=0.7, temperature=1.3)
    x = isotropic(700, 1.0, rng)  # more than the rows held at once
    _, grad = value_and_grad(double_well, x)
    drift = sampler.drift(x, grad)
    for i in (0, 5, 600):
        at = x.clone().requires_grad_()
        k = (-(at - x[i]).square().sum(-1) / (2 * 0.7**2)).exp()
        (slope,) = torch.autograd.grad(k.sum(), at)
        expected = (1.3 * slope - k.detach().unsqueeze(-1) * grad).mean(0)
        torch.testing.assert_close(drift[i], expected)


def test_that_exact_samples_feel_no_drift_on_average_and_others_do(rng):
    sampler = SteinVariationalGradientDescent(bandwidth=0.8)
    probe = torch.tensor([[0.5, -0.5], [1.0, 0.3], [-1.2, 0.0]], dtype=torch.float64)

    def pull(x):
        rest = torch.cat([probe, x])
        return sampler.drift(rest, value_and_grad(bowl(1.0), rest)[1])[:3].abs().max()

    assert pull(isotropic(2500, 1.0, rng)) < 0.012
    assert pull(isotropic(2500, 1.5, rng)) > 0.03


def test_that_at_rest_stein_s_identity_holds_and_the_moments_are_nearly_right(rng):
    sampler = SteinVariationalGradientDescent(step_size=1.0, bandwidth=0.5)
    x, _ = run(sampler, GAUSSIAN, isotropic(100, 0.5, rng) + 1.0, 300, rng)
    _, grad = value_and_grad(GAUSSIAN, x)
    assert sampler.drift(x, grad).norm(dim=-1).max() < 1e-3
    assert x.mean(0).norm() < 0.02
    assert (moments(x) - CORRELATED).abs().max() < 0.15


def test_that_the_bandwidth_follows_the_median_distance(rng):
    x = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    assert bandwidth(x).item() == pytest.approx(2 / math.sqrt(2 * math.log(4)))
    assert bandwidth(x[:1]).item() == 1.0
    assert bandwidth(torch.zeros(5, 2)).item() == 1.0


def test_that_stein_particles_spread_with_the_temperature(rng):
    start = isotropic(60, 0.5, rng)
    spread = []
    for temperature in (0.0, 0.5, 1.0):
        sampler = SteinVariationalGradientDescent(step_size=1.0, temperature=temperature)
        assert sampler.temperature_sampled() == temperature
        spread.append(run(sampler, bowl(1.0), start, 200, rng)[0].square().mean().item())
    assert spread[0] < 1e-3
    assert spread[1:] == pytest.approx([0.5, 1.0], rel=0.2)


def test_that_more_particles_than_pairs_can_be_held_of_are_refused():
    with pytest.raises(BadInput, match="at most 16384"):
        SteinVariationalGradientDescent().init(bowl(1.0), torch.zeros(16_385, 2))
