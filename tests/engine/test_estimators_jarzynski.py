r"""Walkers with Jarzynski weights: what they follow, and what they lose."""

from __future__ import annotations

import math

import pytest
import torch
from laws import WINDOW, bowl, isotropic

from ebmlab.engine.diagnostics import weights_ess
from ebmlab.engine.estimators import Batch, GaussianNoise, JarzynskiReweighting
from ebmlab.engine.estimators.jarzynski import Walkers
from ebmlab.engine.estimators.weights import negligible, systematic, worth

LOG_TAU = math.log(2 * math.pi)


def summary(draws):
    """Mean and standard error of independent draws; the floor stands for rounding."""

    draws = torch.as_tensor(draws, dtype=torch.float64)
    return draws.mean(0), draws.std(0) / math.sqrt(len(draws)) + 1e-8


def jarzynski(n=8192, **knobs):
    return JarzynskiReweighting(walkers=n, start=GaussianNoise(width=2.0), **knobs)


def terms_of(estimator, energy, x, rng):
    batch = Batch(x, WINDOW)
    return estimator.loss(energy, batch, estimator.init(energy, batch, rng), rng)[0]


def waiting(energy, x):
    """Walkers of equal weight that have not moved yet."""

    return Walkers(x, torch.zeros_like(x), energy(x), x.new_zeros(()), x.new_zeros(len(x)))


def driven(estimator, precision, steps, x, rng):
    """The second moment of the walkers by their weights, and how log Z has changed, after steps of a|x|²/2."""

    batch, memory = Batch(x[:1], WINDOW), waiting(bowl(precision(0)), x)
    for k in range(steps + 1):
        terms, memory = estimator.loss(bowl(precision(k)), batch, memory, rng)
    return terms.negatives.square().sum(-1).mean().item(), terms.log_z.item()


@pytest.mark.parametrize("resample", [0.0, 0.5, 0.95])
def test_that_weights_follow_log_z_and_the_moments_of_an_energy_that_changes(resample, rng):
    estimator = jarzynski(20_000, step_size=0.05, resample=resample, restart=0.0)
    square, log_z = driven(estimator, lambda k: 1 + 2 * k / 50, 50, isotropic(20_000, 1.0, rng), rng)
    assert log_z == pytest.approx(-math.log(3), abs=0.02)
    assert square == pytest.approx(2 / 3, abs=0.03)


def test_that_weights_make_up_for_the_bias_of_large_steps(rng):
    n = 20_000
    x = isotropic(n, 1.0, rng)
    estimator = jarzynski(n, step_size=0.5, resample=0.0, restart=0.0)
    square, log_z = driven(estimator, lambda k: 1.0, 40, x, rng)
    assert square == pytest.approx(2.0, abs=0.08)
    assert log_z == pytest.approx(0.0, abs=0.03)

    memory = waiting(bowl(1.0), x)
    for _ in range(40):
        _, memory = estimator.loss(bowl(1.0), Batch(x[:1], WINDOW), memory, rng)
    assert memory.x.square().sum(-1).mean().item() == pytest.approx(8 / 3, abs=0.1)


@pytest.mark.parametrize("knobs", [{"resample": 1.0}, {"steps": 2}, {"restart": 0.2}], ids=str)
def test_that_the_mean_weight_is_an_unbiased_estimate_of_z(knobs):
    options = {"step_size": 0.3, "resample": 0.5, "restart": 0.0, **knobs}
    estimator = JarzynskiReweighting(walkers=40, start=GaussianNoise(width=1.5), **options)
    rng = torch.Generator().manual_seed(1)
    batch, found = Batch(torch.zeros(1, 2, dtype=torch.float64), WINDOW), []
    for _ in range(100):
        memory = estimator.init(bowl(1.0), batch, rng)
        for a in (1.0, 1.3, 1.7, 1.4, 1.1):
            terms, memory = estimator.loss(bowl(a), batch, memory, rng)
        found.append(math.exp(terms.log_z.item()) * 1.1 / (2 * math.pi))
    mean, error = summary(found)
    assert error < 0.05
    assert abs(mean - 1) < 4.5 * error


@pytest.mark.parametrize("variance", [1.3, 0.5])
def test_that_weighted_walkers_tell_log_z_and_the_likelihood(variance, rng):
    for steps in (1, 2):
        estimator = jarzynski(steps=steps, step_size=0.1)
        draws = [terms_of(estimator, bowl(1 / variance, 3.0), isotropic(2000, variance, rng), rng) for _ in range(6)]
        mean, error = summary([[t.log_z, t.value] for t in draws])
        log_z = LOG_TAU + math.log(variance)
        truth = torch.tensor([log_z - 3, log_z + 1], dtype=torch.float64)
        assert ((mean - truth).abs() < 4.5 * error).all()


def test_that_walkers_started_afresh_bring_back_a_mode_that_none_was_near(rng):
    def wells(x):
        left, right = ((x - centre).square().sum(-1) * 2 for centre in (x.new_tensor([-3, 0]), x.new_tensor([3, 0])))
        return -torch.logaddexp(math.log(0.8) - left, math.log(0.2) - right)

    x = 0.5 * torch.randn(1024, 2, generator=rng, dtype=torch.float64)
    x[:, 0] += 3
    batch, log_z = Batch(x[:16], WINDOW), math.log(math.pi / 2)
    for restart, left, found in ((0.05, 0.8, log_z), (0.0, 0.0, log_z + math.log(0.2))):
        estimator = JarzynskiReweighting(walkers=1024, restart=restart)
        memory = waiting(wells, x)._replace(log_z=x.new_tensor(math.log(0.2) + log_z))
        shares, sums = [], []
        for k in range(150):
            terms, memory = estimator.loss(wells, batch, memory, rng)
            if k >= 100:
                shares.append((terms.negatives[:, 0] < 0).double().mean().item())
                sums.append(terms.log_z.item())
        assert sum(shares) / 50 == pytest.approx(left, abs=0.1)
        assert sum(sums) / 50 == pytest.approx(found, abs=0.2)


def test_that_few_good_walkers_are_warned_of_and_another_number_starts_afresh(rng):
    x = isotropic(500, 4.0, rng)
    batch, estimator = Batch(x, WINDOW), jarzynski(500)
    memory = estimator.init(bowl(0.25), batch, rng)
    assert estimator.warning(bowl(0.25), batch, memory) == ""
    assert "worth" in estimator.warning(bowl(40.0), batch, memory)
    assert estimator.fits(memory)
    assert not jarzynski(400).fits(memory)


def test_that_systematic_draws_give_each_point_its_share_rounded_up_or_down(rng):
    log_w = 3 * torch.randn(50, generator=rng, dtype=torch.float64)
    share = 200 * log_w.softmax(0)
    counts = torch.stack([torch.bincount(systematic(log_w, 200, rng), minlength=50) for _ in range(400)]).double()
    assert ((counts >= share.floor()) & (counts <= share.ceil())).all()
    assert ((counts.mean(0) - share).abs() < 4.5 * 0.5 / math.sqrt(400)).all()


def test_that_what_is_negligible_sums_to_less_than_rounding(rng):
    log_w = 15 * torch.randn(7, 400, generator=rng, dtype=torch.float64)
    few = negligible(log_w)
    assert few.any()
    assert (log_w.masked_fill(~few, -torch.inf).logsumexp(1) < log_w.logsumexp(1) + math.log(2**-52)).all()
    assert worth(log_w[0]).item() == pytest.approx(weights_ess(log_w[0]), rel=1e-9)
