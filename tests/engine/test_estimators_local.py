r"""Estimators that compare the data with points around them, on the standard test, and with each other."""

from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, WINDOW, bowl, isotropic, normal, quadratic, scalar, slope

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import (
    Batch,
    EnergyDiscrepancy,
    ImplicitScoreMatching,
    MaximumLikelihood,
    MinimumProbabilityFlow,
    PseudoLikelihood,
    RecoveryLikelihood,
)
from ebmlab.engine.quadrature import rule
from ebmlab.engine.samplers import SAMPLERS, MetropolisLangevin
from ebmlab.spec import BadInput

VARIANCES = [1.3, 0.5]
N, DRAWS = 2000, 5
PRECISION = torch.linalg.inv(CORRELATED)


def ball(variance):
    return variance * torch.eye(2, dtype=torch.float64)


def terms_of(estimator, energy, covariance, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return estimator.loss(energy, Batch(normal(N, covariance, rng), WINDOW), None, rng)[0]


def summary(draws):
    """Mean and standard error of independent draws; the floor stands for rounding."""

    draws = torch.as_tensor(draws, dtype=torch.float64)
    return draws.mean(0), draws.std(0) / math.sqrt(len(draws)) + 1e-8


def values(estimator, energy, covariance):
    return summary([terms_of(estimator, energy, covariance, seed).value for seed in range(DRAWS)])


def slopes(estimator, a, covariance):
    def one(seed):
        p = scalar(a)
        return slope(terms_of(estimator, bowl(p), covariance, seed).loss, p)[0]

    return summary([one(seed) for seed in range(DRAWS)])


def flat(gradient):
    return torch.cat([g.flatten() for g in gradient])


def gradient(estimator, net, batch, rng):
    terms, _ = estimator.loss(net, batch, None, rng)
    return flat(torch.autograd.grad(terms.loss, [p for n, p in net.named_parameters() if n != "head.bias"]))


def bent(n, rng):
    """Points along a banana."""

    z = torch.randn(n, 2, generator=rng, dtype=torch.float64)
    return Batch(torch.stack([z[:, 0] + 1, z[:, 1] / 2 + z[:, 0].square() / 2 - 1], -1), WINDOW)


# value


def discrepancy(a, variance, t, dim=2):
    m2 = dim * variance
    return a * m2 / 2 - a * (m2 + dim * t) / (2 * (1 + a * t)) - dim / 2 * math.log(1 + a * t)


def spread(a, variance, t, dim=2):
    r"""The variance of :math:`e^{-E}` around a blurred point over its squared mean, averaged over such points."""

    k = a / (1 + a * t) - a / (1 + 2 * a * t)
    return ((1 + a * t) ** 2 / (1 + 2 * a * t) / (1 - 2 * k * (variance + t))) ** (dim / 2) - 1


@pytest.mark.parametrize("t", [0.1, 0.6])
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("a", [0.3, 0.8])
def test_that_energy_discrepancy_has_its_closed_form_less_what_finite_samples_cost(a, variance, t):
    m = 64
    estimator = EnergyDiscrepancy(t=t, samples=m, w=0.0)
    mean, error = values(estimator, bowl(a, 3.0), ball(variance))
    bias = -spread(a, variance, t) / (2 * m)
    assert abs(mean - discrepancy(a, variance, t) - bias) < 4.5 * error + bias**2


def test_that_few_samples_of_a_wide_blur_bias_energy_discrepancy_downward():
    estimator = EnergyDiscrepancy(t=20.0, samples=256, w=0.0)
    mean, error = summary([terms_of(estimator, bowl(0.9), ball(1.3), seed).value for seed in range(3)])
    assert discrepancy(0.9, 1.3, 20.0) == pytest.approx(-2.78, abs=5e-3)
    assert mean.item() == pytest.approx(-2.94, abs=0.02 + 4.5 * error.item())


@pytest.mark.parametrize("w", [0.0, 1.0, 5.0])
def test_that_the_weight_tames_the_logarithm_by_so_many_contrast_points(w, rng):
    energy, m = bowl(0.7), 8
    batch = Batch(isotropic(50, 1.0, rng), WINDOW)
    state = rng.get_state()
    terms, _ = EnergyDiscrepancy(samples=m, w=w).loss(energy, batch, None, rng)
    around = batch.x + torch.randn(50, 2, generator=rng.set_state(state), dtype=torch.float64)
    contrast = around.repeat_interleave(m, 0) + torch.randn(50 * m, 2, generator=rng, dtype=torch.float64)
    gaps = energy(batch.x).unsqueeze(1) - energy(contrast).view(50, m)
    expected = torch.log((w + gaps.exp().sum(1)) / m).mean()
    assert terms.value.item() == pytest.approx(expected.item(), abs=1e-12)


@pytest.mark.parametrize("a", [0.3, 0.8, 2.0])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_energy_discrepancy_goes_from_score_matching_to_the_likelihood(variance, a):
    small, large = 1e-5, 1e8
    assert discrepancy(a, variance, small) / small == pytest.approx(a**2 * variance - 2 * a, abs=1e-3)
    likelihood = a * variance - math.log(a / (2 * math.pi))
    constant = 1 + math.log(2 * math.pi * large)
    assert discrepancy(a, variance, large) + constant == pytest.approx(likelihood, abs=1e-6)


def flow(a, variance, t, dim=2):
    return (1 + t / 4 * (2 * a - a**2 * variance)) ** (-dim / 2)


@pytest.mark.parametrize("t", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("a", [0.3, 0.8])
def test_that_the_probability_flow_has_its_closed_form(a, variance, t):
    mean, error = values(MinimumProbabilityFlow(t=t, samples=8), bowl(a, 3.0), ball(variance))
    assert error < 0.01
    assert abs(mean - flow(a, variance, t)) < 4.5 * error
    assert 4 * (flow(a, variance, 1e-6) - 1) / 1e-6 == pytest.approx(a**2 * variance - 2 * a, abs=1e-5)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("a", [0.3, 2.0])
def test_that_the_pseudo_likelihood_of_independent_coordinates_is_the_likelihood(a, variance):
    mean, error = values(PseudoLikelihood(lines=N), bowl(a, 3.0), ball(variance))
    assert abs(mean - (a * variance - math.log(a / (2 * math.pi)))) < 4.5 * error + 1e-7


@pytest.mark.parametrize("dim", [1, 3, 5])
def test_that_the_pseudo_likelihood_is_that_of_the_conditionals_in_any_dimension(dim, rng):
    mix = torch.randn(dim, dim, generator=rng, dtype=torch.float64)
    precision = mix @ mix.T / dim + torch.eye(dim, dtype=torch.float64)
    x = normal(N, torch.linalg.inv(precision), rng)
    law = precision.diagonal()
    # x_i given the others is normal with precision P_ii, and the batch has the model's own second moments.
    expected = (dim - torch.log(law / (2 * math.pi)).sum()) / 2
    estimator = PseudoLikelihood(lines=N, resolution=64)
    draws = [estimator.loss(quadratic(precision), Batch(x, WINDOW), None, rng)[0].value for _ in range(DRAWS)]
    mean, error = summary(draws)
    assert abs(mean - expected) < 4.5 * error + 1e-6
    terms, _ = estimator.loss(quadratic(precision), Batch(x, WINDOW), None, rng)
    assert ((terms.negatives != x).sum(-1) == 1).all()


def test_that_the_predictions_of_the_pseudo_likelihood_follow_the_conditionals(rng):
    x = normal(40_000, CORRELATED, rng)
    terms, _ = PseudoLikelihood(lines=len(x)).loss(quadratic(PRECISION), Batch(x, WINDOW), None, rng)
    moved = (terms.negatives != x)[:, 0]
    away = (terms.negatives @ PRECISION)[moved, 0] / PRECISION[0, 0]  # x_0 less its mean given x_1
    assert away.mean().abs() < 4.5 * away.std() / math.sqrt(len(away))
    assert away.var().item() == pytest.approx(1 / PRECISION[0, 0].item(), rel=0.05)


# fixed point


@pytest.mark.parametrize(
    "estimator",
    [
        EnergyDiscrepancy(t=0.25, samples=32, w=0.0),
        EnergyDiscrepancy(t=0.6, samples=64, w=0.0),
        MinimumProbabilityFlow(t=0.1),
        MinimumProbabilityFlow(t=1.0, samples=16),
        PseudoLikelihood(lines=N),
    ],
    ids=lambda e: "-".join(map(str, (e.kind, *vars(e).values()))),
)
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_the_learnt_precision_is_that_of_the_data(estimator, variance):
    covariance, a, bias = ball(variance), 1 / variance, 0.0
    if isinstance(estimator, EnergyDiscrepancy):  # what finite samples cost, of first order
        up, down = (spread(a + h, variance, estimator.t) for h in (1e-4, -1e-4))
        bias = -(up - down) / 2e-4 / (2 * estimator.samples)
    mean, error = slopes(estimator, a, covariance)
    assert abs(mean - bias) < 4.5 * error + 0.2 * abs(bias) + 1e-6
    for factor, sign in ((0.8, -1), (1.2, 1)):
        mean, error = slopes(estimator, factor / variance, covariance)
        assert sign * mean > 4.5 * error


@pytest.mark.parametrize(
    "estimator",
    [
        EnergyDiscrepancy(t=0.25, samples=64, w=0.0),
        MinimumProbabilityFlow(t=0.25, samples=8),
        PseudoLikelihood(lines=N),
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
    assert (mean.abs() < 4.5 * error + 3e-3).all()
    mean, error = draws(1.6 * PRECISION)
    assert (mean * PRECISION).sum() > 4.5 * error.norm() * PRECISION.norm()


# against each other


@pytest.mark.parametrize("variance", [0.3, 1.0])
def test_that_energy_discrepancy_and_recovery_likelihood_follow_the_same_gradient(variance, rng):
    net, batch = MLP(width=8).build(rng).double(), bent(3000, rng)
    by_weights = gradient(EnergyDiscrepancy(t=variance, samples=64, w=0.0), net, batch, rng)
    sampler = MetropolisLangevin(step_size=0.5 * variance)
    by_chains = gradient(RecoveryLikelihood(sigma=math.sqrt(variance), steps=20, sampler=sampler), net, batch, rng)
    assert torch.cosine_similarity(by_weights, by_chains, dim=0) > 0.99
    assert (by_weights.norm() / by_chains.norm()).item() == pytest.approx(1.0, abs=0.05)


def test_that_small_jumps_and_blurs_have_the_gradient_of_score_matching(rng):
    net, batch, t = MLP(width=8).build(rng).double(), bent(30_000, rng), 0.02
    exact = gradient(ImplicitScoreMatching(), net, batch, rng)
    for estimator, factor in (
        (EnergyDiscrepancy(t=t, samples=8, w=0.0), 1.0),
        (MinimumProbabilityFlow(t=t, samples=4), 4.0),
    ):
        near = factor / t * gradient(estimator, net, batch, rng)
        assert torch.cosine_similarity(near, exact, dim=0) > 0.99
        assert (near.norm() / exact.norm()).item() == pytest.approx(1.0, abs=0.1)


def test_that_pseudo_likelihood_in_one_dimension_is_the_exact_likelihood(rng):
    net = MLP(width=8, confinement=0.5).build(rng, dim=1).double()
    batch = Batch(torch.randn(50, 1, generator=rng, dtype=torch.float64), WINDOW)
    here, _ = PseudoLikelihood(resolution=96).loss(net, batch, None, rng)
    there, _ = MaximumLikelihood(resolution=96).loss(net, batch, None, rng)
    assert here.value.item() == pytest.approx(there.value.item(), abs=1e-10)
    slopes = [flat(torch.autograd.grad(t.loss, [*net.parameters()])) for t in (here, there)]
    torch.testing.assert_close(*slopes, atol=1e-10, rtol=0)


def test_that_dropping_negligible_points_leaves_the_exact_loss_and_its_gradient(rng):
    net = MLP(width=8, confinement=0.5).build(rng).double()
    batch = Batch(torch.randn(50, 2, generator=rng, dtype=torch.float64), WINDOW)
    terms, _ = MaximumLikelihood().loss(net, batch, None, rng)
    plane = rule(WINDOW, 96)
    whole = net(batch.x).mean() + torch.logsumexp(plane.log_weights - net(plane.points), 0)
    assert terms.value.item() == pytest.approx(whole.item(), abs=1e-12)
    slopes = [flat(torch.autograd.grad(loss, [*net.parameters()])) for loss in (terms.loss, whole)]
    torch.testing.assert_close(*slopes, atol=1e-12, rtol=0)


def row_by_row(sampler, rng):
    """Whether a sampler asks for the energies of all chains at once, the i-th point being the i-th chain's."""

    x, seen = isotropic(20, 1.0, rng), []

    def energy(y):
        seen.append(len(y))
        return y.square().sum(-1) / 2 + torch.arange(len(y))

    chains = sampler.init(energy, x)
    for _ in range(3):
        chains, _ = sampler.step(energy, chains, rng)
    own = (chains.energy is None) or torch.equal(chains.energy, energy(chains.x))
    return own and set(seen) == {20}


@pytest.mark.parametrize("kind", SAMPLERS)
def test_that_recovery_likelihood_refuses_a_sampler_that_mixes_up_the_chains(kind, rng):
    sampler = SAMPLERS[kind]()
    if sampler.apart:
        RecoveryLikelihood(sampler=sampler)
        assert row_by_row(sampler, rng)
    else:
        with pytest.raises(BadInput, match="energy of its own"):
            RecoveryLikelihood(sampler=sampler)
