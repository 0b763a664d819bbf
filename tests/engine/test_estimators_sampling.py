r"""Estimators that follow the likelihood by chains or weights, on the standard test."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from laws import CORRELATED, WINDOW, bowl, isotropic, normal, quadratic, scalar, slope

from ebmlab.engine.estimators import (
    Batch,
    GaussianNoise,
    ImportanceSampledLikelihood,
    JarzynskiReweighting,
    RecoveryLikelihood,
    ShortRun,
)
from ebmlab.engine.samplers import MetropolisLangevin, UnadjustedLangevin

VARIANCES = [1.3, 0.5]
N, DRAWS = 2000, 6
PRECISION = torch.linalg.inv(CORRELATED)
LOG_TAU = math.log(2 * math.pi)


def ball(variance):
    return variance * torch.eye(2, dtype=torch.float64)


def terms_of(estimator, energy, covariance, seed=0):
    rng = torch.Generator().manual_seed(seed)
    batch = Batch(normal(N, covariance, rng), WINDOW)
    return estimator.loss(energy, batch, estimator.init(energy, batch, rng), rng)[0]


def summary(draws):
    """Mean and standard error of independent draws; the floor stands for rounding."""

    draws = torch.as_tensor(draws, dtype=torch.float64)
    return draws.mean(0), draws.std(0) / math.sqrt(len(draws)) + 1e-8


def slopes(estimator, a, covariance):
    def one(seed):
        p = scalar(a)
        return slope(terms_of(estimator, bowl(p), covariance, seed).loss, p)[0]

    return summary([one(seed) for seed in range(DRAWS)])


def ula(step_size):
    return UnadjustedLangevin(step_size=step_size)


def short_run(steps, v0, step_size=0.05):
    noise = GaussianNoise(width=math.sqrt(v0))
    return ShortRun(steps=steps, start="noise", noise=noise, sampler=ula(step_size))


def importance(n=10_000, width=1.5):
    return ImportanceSampledLikelihood(samples=n, noise=GaussianNoise(width=width))


def jarzynski(n=8192, **knobs):
    return JarzynskiReweighting(walkers=n, start=GaussianNoise(width=2.0), **knobs)


# short runs


def run_variance(a, steps, v0, step_size=0.05):
    r = (1 - step_size * a) ** 2
    return r**steps * v0 + 2 * step_size * (1 - r**steps) / (1 - r)


@pytest.mark.parametrize(
    ("steps", "v0", "a"), [(5, 4.0, 3.157), (20, 4.0, 1.313), (100, 4.0, 1.0264), (5, 0.25, -0.935)]
)
def test_that_short_runs_learn_the_energy_whose_runs_end_like_the_data(steps, v0, a):
    assert run_variance(a, steps, v0) == pytest.approx(1.0, abs=5e-4)
    estimator = short_run(steps, v0)
    mean, error = slopes(estimator, a, ball(1.0))
    assert abs(mean) < 4.5 * error + 1e-3
    for away in (-0.5, 0.5):
        mean, error = slopes(estimator, a + away, ball(1.0))
        assert abs(mean - (1 - run_variance(a + away, steps, v0))) < 4.5 * error
        assert away * mean > 0


def test_that_uniform_short_runs_start_all_over_the_window(rng):
    batch = Batch(isotropic(N, 1.0, rng), (-4.0, 2.0, 0.0, 1.0))
    terms, _ = ShortRun(steps=1, sampler=ula(1e-6)).loss(bowl(1.0), batch, None, rng)
    low, high = terms.negatives.min(0).values, terms.negatives.max(0).values
    torch.testing.assert_close(low, torch.tensor([-4.0, 0.0], dtype=torch.float64), atol=0.02, rtol=0)
    torch.testing.assert_close(high, torch.tensor([2.0, 1.0], dtype=torch.float64), atol=0.02, rtol=0)


def test_that_long_runs_of_an_exact_kernel_learn_the_truth():
    estimator = replace(short_run(40, 1.0), sampler=MetropolisLangevin(step_size=0.3))
    mean, error = slopes(estimator, 1 / 1.3, ball(1.3))
    assert abs(mean) < 4.5 * error


# recovery likelihood


@pytest.mark.parametrize("steps", [1, 4, 30])
@pytest.mark.parametrize(("sigma", "a"), [(0.5, 0.4), (1.0, 1.1)])
def test_that_the_gradient_of_recovery_likelihood_by_langevin_has_its_closed_form(sigma, a, steps):
    variance, step_size = 1.3, 0.1
    back, rate = 1 / (1 + a * sigma**2), 1 - step_size * (a + sigma**-2)
    share = back + rate**steps * (1 - back)
    noise = 2 * step_size * (1 - rate ** (2 * steps)) / (1 - rate**2)
    estimator = RecoveryLikelihood(sigma=sigma, steps=steps, sampler=ula(step_size))
    mean, error = slopes(estimator, a, ball(variance))
    assert error < 0.03
    assert abs(mean - (variance - share**2 * (variance + sigma**2) - noise)) < 4.5 * error


@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_recovery_likelihood_learns_the_truth_whatever_the_blur(variance, sigma):
    peak = 1 / (1 / variance + sigma**-2)
    estimator = RecoveryLikelihood(sigma=sigma, steps=20, sampler=MetropolisLangevin(step_size=0.8 * peak))
    mean, error = slopes(estimator, 1 / variance, ball(variance))
    assert abs(mean) < 4.5 * error
    for factor, sign in ((0.6, -1), (1.6, 1)):
        mean, error = slopes(estimator, factor / variance, ball(variance))
        assert sign * mean > 4.5 * error


# importance-sampled likelihood


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("a", [0.6, 2.0])
def test_that_weighted_noise_gives_the_likelihood_and_log_z(a, variance):
    draws = [terms_of(importance(), bowl(a, 3.0), ball(variance), seed) for seed in range(DRAWS)]
    mean, error = summary([[t.value, t.log_z] for t in draws])
    log_z = LOG_TAU - math.log(a)
    truth = torch.tensor([a * variance + log_z, log_z - 3], dtype=torch.float64)
    assert (error < 0.01).all()
    assert ((mean - truth).abs() < 4.5 * error).all()


def test_that_few_noise_points_put_log_z_too_low_by_half_the_variance_of_a_weight():
    n, w2 = 16, 4 / 3 - 1  # E w² / (E w)² - 1 for N(0, I) against N(0, 2 I)
    estimator = importance(n, math.sqrt(2))
    batch = Batch(torch.zeros(4, 2, dtype=torch.float64), WINDOW)
    rng = torch.Generator().manual_seed(0)
    mean, error = summary([estimator.loss(bowl(1.0), batch, None, rng)[0].log_z for _ in range(1000)])
    assert abs(mean - (LOG_TAU - w2 / (2 * n))) < 4.5 * error
    assert w2 / (2 * n) > error


def test_that_noise_narrower_than_the_model_is_warned_of(rng):
    batch = Batch(isotropic(20, 1.0, rng), WINDOW)
    for width, complains in ((0.2, True), (1.5, False)):
        estimator = importance(2000, width)
        assert estimator.warning(bowl(1.0), batch, None) == ""
        _, memory = estimator.loss(bowl(1.0), batch, None, rng)
        assert ("noise points are worth" in estimator.warning(bowl(1.0), batch, memory)) == complains


# all of them


@pytest.mark.parametrize("estimator", [importance(), jarzynski()], ids=lambda e: e.kind)
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_the_learnt_precision_is_that_of_the_data(estimator, variance):
    mean, error = slopes(estimator, 1 / variance, ball(variance))
    assert abs(mean) < 4.5 * error
    for factor, sign in ((0.8, -1), (1.2, 1)):
        mean, error = slopes(estimator, factor / variance, ball(variance))
        assert sign * mean > 4.5 * error


@pytest.mark.parametrize(
    "estimator",
    [
        importance(),
        jarzynski(),
        RecoveryLikelihood(sigma=0.7, steps=20, sampler=MetropolisLangevin(step_size=0.2)),
        replace(short_run(40, 1.0), sampler=MetropolisLangevin(step_size=0.3)),
    ],
    ids=lambda e: e.kind,
)
def test_that_the_learnt_precision_matrix_is_that_of_the_data(estimator):
    def draws(matrix):
        p = matrix.clone().requires_grad_()
        gradients = [
            torch.autograd.grad(terms_of(estimator, quadratic(p), CORRELATED, s).loss, p)[0] for s in range(DRAWS)
        ]
        return summary(torch.stack([(g + g.T) / 2 for g in gradients]))

    mean, error = draws(PRECISION)
    assert (mean.abs() < 4.5 * error).all()
    mean, error = draws(1.6 * PRECISION)
    assert (mean * PRECISION).sum() > 4.5 * error.norm() * PRECISION.norm()
