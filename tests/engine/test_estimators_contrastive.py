r"""Estimators that tell data from noise, on the standard test: data from N(0, s² I) and an energy a|x|²/2 + c."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from laws import CORRELATED, WINDOW, bowl, isotropic, normal, quadratic, scalar, slope
from scipy.stats import chi2

from ebmlab.engine.calculus import jet
from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import (
    Batch,
    ConditionalNoiseContrastiveEstimation,
    DenoisingScoreMatching,
    ExponentialNoiseContrastiveEstimation,
    GaussianNoise,
    NoiseContrastiveEstimation,
    RankingNoiseContrastiveEstimation,
    TelescopingRatios,
)
from ebmlab.engine.estimators.ence import leaves
from ebmlab.engine.estimators.noise import balance, logistic
from ebmlab.engine.estimators.ranking_nce import rivalry
from ebmlab.engine.estimators.tre import Bridges, energies
from ebmlab.spec import BadInput

VARIANCES = [1.3, 0.5]
N, DRAWS = 10_000, 6
EYE = torch.eye(2, dtype=torch.float64)
LOG_TAU = math.log(2 * math.pi)


def cnce(width, ratio=1):
    return ConditionalNoiseContrastiveEstimation(width=width, ratio=ratio)


def ranking(k, width=2.0):
    return RankingNoiseContrastiveEstimation(rivals=k, noise=GaussianNoise(width=width))


def ence(width=1.5, normalised=False):
    return ExponentialNoiseContrastiveEstimation(noise=GaussianNoise(width=width), normalised=normalised)


def terms_of(estimator, energy, covariance, memory=None, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return estimator.loss(energy, Batch(normal(N, covariance, rng), WINDOW), memory, rng)[0]


def summary(draws):
    draws = torch.as_tensor(draws, dtype=torch.float64)
    return draws.mean(0), draws.std(0) / math.sqrt(len(draws)) + 1e-8


def values(estimator, energy, covariance, memory=None):
    return summary([terms_of(estimator, energy, covariance, memory, seed).value for seed in range(DRAWS)])


def slopes(estimator, a, covariance, make=lambda: None):
    """Mean and error of the slopes in a, and in the memory where that is one number."""

    def one(seed):
        p, memory = scalar(a), make()
        known = [memory] if isinstance(memory, torch.Tensor) else []
        return slope(terms_of(estimator, bowl(p), covariance, memory, seed).loss, p, *known)

    return summary([one(seed) for seed in range(DRAWS)])


# conditional NCE


def exact_cnce(a, variance, width):
    """With t = |e|², which is chi-square, G is normal of mean aω²t/2 and variance a²ω²s²t."""

    nodes, weights = np.polynomial.laguerre.laggauss(80)
    z, mass = np.polynomial.hermite_e.hermegauss(80)
    t = 2 * nodes[:, None]
    g = a * width**2 * t / 2 + a * width * np.sqrt(variance * t) * z
    return 2 * float(weights @ np.logaddexp(0, -g) @ (mass / mass.sum()))


@pytest.mark.parametrize("width", [0.3, 1.5])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_the_conditional_loss_has_the_value_of_quadrature(variance, width):
    for a, ratio in ((0.4, 1), (1 / variance, 3)):
        mean, error = values(cnce(width, ratio), bowl(a), variance * EYE)
        assert error < 0.02
        assert abs(mean - exact_cnce(a, variance, width)) < 4.5 * error


@pytest.mark.parametrize("a", [0.4, 1.2])
def test_that_the_conditional_loss_of_a_small_width_is_implicit_score_matching(a):
    limit = a**2 * 1.3 - 2 * a
    gaps = [4 * (exact_cnce(a, 1.3, w) / 2 - math.log(2)) / w**2 - limit for w in (0.1, 0.05)]
    assert abs(gaps[0]) < 0.01
    assert gaps[1] / gaps[0] == pytest.approx(1 / 4, rel=0.1)


def test_that_the_conditional_gradient_of_a_small_width_is_that_of_implicit_score_matching(rng):
    net, width = MLP(width=8, confinement=0.5).build(rng).double(), 0.1
    x = torch.randn(100, 2, generator=rng, dtype=torch.float64)
    trained = [p for name, p in net.named_parameters() if name != "head.bias"]
    _, grad, trace = jet(net, x)
    exact = torch.autograd.grad((grad.square().sum(-1) / 2 - trace).mean(), trained)

    loss, _ = cnce(width, 1000).loss(net, Batch(x, WINDOW), None, rng)
    found = torch.autograd.grad(2 * loss.loss / width**2, trained)
    a, b = (torch.cat([g.flatten() for g in gradient]) for gradient in (exact, found))
    assert torch.cosine_similarity(a, b, dim=0) > 0.99
    assert (b.norm() / a.norm()).item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("width", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_conditional_noise_of_any_width_learns_the_precision(variance, width):
    mean, error = slopes(cnce(width), 1 / variance, variance * EYE)
    assert abs(mean) < 4.5 * error
    for factor, sign in ((0.7, -1), (1.4, 1)):
        mean, error = slopes(cnce(width), factor / variance, variance * EYE)
        assert sign * mean > 4.5 * error


# ranking


@pytest.mark.parametrize(("k", "table"), [(1, 0.295), (10, 0.577), (100, 0.627)])
def test_that_the_best_rank_tells_of_the_divergence_from_the_noise_and_no_more_than_log_k_plus_one(k, table):
    mean, error = values(ranking(k), bowl(1.0, 3.0), EYE)
    kl = math.log(4) - 0.75
    assert kl == pytest.approx(0.6363, abs=5e-5)
    assert error < 0.01
    assert abs(math.log(k + 1) - mean - table) < 4.5 * error + 5e-4
    assert table < min(kl, math.log(k + 1))


@pytest.mark.parametrize("k", [1, 5, 64])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_ranking_learns_the_precision(variance, k):
    mean, error = slopes(ranking(k), 1 / variance, variance * EYE)
    assert abs(mean) < 4.5 * error
    for factor, sign in ((0.8, -1), (1.25, 1)):
        mean, error = slopes(ranking(k), factor / variance, variance * EYE)
        assert sign * mean > 4.5 * error


def test_that_the_noise_of_ranking_estimates_log_z(rng):
    terms = terms_of(ranking(100), bowl(0.8, 2.0), EYE)
    assert terms.log_z.item() == pytest.approx(LOG_TAU - math.log(0.8) - 2, abs=0.03)


def test_that_each_data_point_meets_k_rivals_of_its_own_in_turn(rng):
    h = torch.randn(7, generator=rng, dtype=torch.float64)
    for k in (1, 3, 7):
        ring = [torch.logsumexp(h[[(i + j) % 7 for j in range(k)]], 0) for i in range(7)]
        torch.testing.assert_close(rivalry(h, k), torch.stack(ring))


# exponential loss


def test_that_the_best_exponential_loss_is_the_overlap_of_target_and_noise():
    c = scalar(LOG_TAU)
    for normalised in (False, True):
        mean, error = values(ence(2.0, normalised), bowl(1.0), EYE, c)
        assert error < 0.01
        assert abs(mean - 0.8) < 4.5 * error


@pytest.mark.parametrize("variance", VARIANCES)
def test_that_the_exponential_loss_learns_the_precision_and_log_z(variance):
    log_z = LOG_TAU + math.log(variance)
    mean, error = slopes(ence(), 1 / variance, variance * EYE, lambda: scalar(log_z))
    assert (mean.abs() < 4.5 * error).all()
    for factor, sign in ((0.7, -1), (1.4, 1)):
        mean, error = slopes(ence(), factor / variance, variance * EYE, lambda f=factor: scalar(log_z - math.log(f)))
        assert sign * mean[0] > 4.5 * error[0]
    for shift in (-0.5, 0.5):
        mean, error = slopes(ence(), 1 / variance, variance * EYE, lambda s=shift: scalar(log_z + s))
        assert shift * mean[1] > 4.5 * error[1] * abs(shift)


def test_that_the_normalised_gradient_has_the_same_direction_and_length_one():
    found = {}
    for normalised in (False, True):
        a, c = scalar(0.3), scalar(1.0)
        found[normalised] = torch.tensor(slope(terms_of(ence(2.0, normalised), bowl(a), EYE, c).loss, a, c))
    assert found[True].norm().item() == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(found[True], found[False] / found[False].norm())


def test_that_noise_far_away_flattens_the_logistic_loss_and_not_the_normalised_one(rng):
    """Noise eight deviations away from the data, and a model that is still the noise."""

    x, far = isotropic(2000, 1.0, rng) + 4.0, GaussianNoise(mean=(-4.0, -4.0), width=1.0)
    for estimator, low, high in (
        (NoiseContrastiveEstimation(noise=far), 0, 1e-3),
        (ExponentialNoiseContrastiveEstimation(noise=far), 0.999, 1.001),
    ):
        centre = torch.full((2,), 4.0, dtype=torch.float64, requires_grad=True)
        c = scalar(LOG_TAU)

        def energy(y, centre=centre):
            return (y - 1.2 * centre).square().sum(-1) / 2

        loss = estimator.loss(energy, Batch(x, WINDOW), c, rng)[0].loss
        length = torch.cat([g.flatten() for g in torch.autograd.grad(loss, (centre, c))]).norm().item()
        assert low <= length <= high


def test_that_the_ends_of_a_graph_are_found_once_each(rng):
    net = MLP(width=4).build(rng)
    loss = net(torch.zeros(3, 2)).sum() + net(torch.ones(3, 2)).square().sum()
    assert {id(p) for p in leaves(loss)} == {id(p) for p in net.parameters()}
    assert len(leaves(loss)) == len(list(net.parameters()))
    assert leaves(torch.zeros(())) == []


# telescoping ratios


def truth(estimator, variance):
    """Bridges whose energies are those of the waymarks, which are Gaussian here."""

    alpha2 = torch.linspace(0, 1, estimator.bridges + 1, dtype=torch.float64)[1:-1].square()
    v = (1 - alpha2) * variance + alpha2 * estimator.noise.width**2
    memory = estimator.init(bowl(1.0), Batch(torch.eye(2, dtype=EYE.dtype), WINDOW), torch.Generator())
    theta = torch.zeros_like(memory.theta)
    theta[:, 0] = 1 / v
    log_z = torch.cat([torch.tensor([variance], dtype=EYE.dtype), v]).log() + LOG_TAU
    ends = torch.cat([log_z, torch.zeros(1, dtype=EYE.dtype)])
    return Bridges(theta.requires_grad_(), (ends[:-1] - ends[1:]).requires_grad_(), memory.sizes)


def tre(m, width=2.0):
    return TelescopingRatios(bridges=m, width=8, noise=GaussianNoise(width=width))


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_at_the_truth_no_bridge_has_a_slope_and_the_ratios_sum_to_the_density(variance, m, rng):
    estimator = tre(m)
    memory = truth(estimator, variance)

    def one(seed):
        a = scalar(1 / variance)
        wanted = [a, *estimator.learnt(memory)]
        found = torch.autograd.grad(terms_of(estimator, bowl(a), variance * EYE, memory, seed).loss, wanted)
        return torch.cat([g.flatten() for g in found])

    mean, error = summary(torch.stack([one(seed) for seed in range(12)]))
    assert (mean.abs() < 6 * error).all()

    x = torch.randn(50, 2, generator=rng, dtype=EYE.dtype)
    between = energies(memory, x.expand(m - 1, 50, 2))
    u = torch.cat([bowl(1 / variance)(x)[None], between, -estimator.noise.log_density(x)[None]])
    log_p = estimator.noise.log_density(x) + (u[1:] - u[:-1] - memory.c[:, None]).sum(0)
    law = torch.distributions.Normal(torch.zeros(2, dtype=EYE.dtype), math.sqrt(variance))
    torch.testing.assert_close(log_p, law.log_prob(x).sum(-1))


@pytest.mark.parametrize("variance", VARIANCES)
def test_that_telescoping_curves_a_flat_energy_and_flattens_a_steep_one(variance):
    estimator = tre(3)
    for factor, sign in ((0.6, -1), (1.6, 1)):
        memory = truth(estimator, variance)

        def one(seed, factor=factor, memory=memory):
            a = scalar(factor / variance)
            first = torch.tensor([-math.log(factor), 0, 0], dtype=EYE.dtype)
            shifted = memory._replace(c=memory.c + first)
            return slope(terms_of(estimator, bowl(a), variance * EYE, shifted, seed).loss, a)[0]

        mean, error = summary([one(seed) for seed in range(DRAWS)])
        assert sign * mean > 4.5 * error


def test_that_one_bridge_is_noise_contrastive_estimation():
    c, a = scalar(1.3), scalar(0.7)
    memory = truth(tre(1), 1.0)._replace(c=c.reshape(1))
    one = terms_of(tre(1), bowl(a), EYE, memory).loss
    other = terms_of(NoiseContrastiveEstimation(ratio=1, noise=GaussianNoise(width=2.0)), bowl(a), EYE, c).loss
    assert one.item() == pytest.approx(other.item(), abs=1e-12)
    assert slope(one, a, c) == pytest.approx(slope(other, a, c), abs=1e-12)


def test_that_bridges_start_as_gaussians_with_the_constants_that_normalise_them(rng):
    estimator, batch = tre(4), Batch(isotropic(20_000, 0.5, rng) + 1, WINDOW)
    memory = estimator.init(lambda x: bowl(2.0, 3.0)(x - 1), batch, rng)
    assert memory.c.sum().item() == pytest.approx(LOG_TAU - math.log(2) - 3, abs=0.05)
    expected = truth(estimator, 0.5)
    torch.testing.assert_close(memory.theta[:, 0], expected.theta[:, 0], rtol=0.05, atol=0)
    centre = (1 - torch.tensor([1, 4, 9], dtype=EYE.dtype) / 16).sqrt()
    torch.testing.assert_close(-memory.theta[:, 1] / memory.theta[:, 0], centre, atol=0.05, rtol=0)
    assert estimator.fits(memory)
    assert not tre(5).fits(memory)


def test_that_the_balanced_constant_leaves_the_logistic_loss_without_a_slope(rng):
    log_r = 3 * torch.randn(4, 80, generator=rng, dtype=EYE.dtype) + torch.tensor([[-300.0], [0], [5], [1e4]])
    c = balance(log_r, 40).requires_grad_()
    for row, best in zip(log_r, c):
        (slope,) = torch.autograd.grad(logistic(row - best, 40), c, retain_graph=True)
        assert slope.abs().max() < 1e-9


def test_that_telescoping_trains_its_bridges_and_constants_along_with_the_energy(rng):
    estimator, batch, a = tre(2), Batch(isotropic(1000, 1.0, rng), WINDOW), scalar(0.4)
    memory = estimator.init(bowl(a), batch, rng)
    optimizer = torch.optim.Adam([a, *estimator.learnt(memory)], lr=0.03)
    for _ in range(150):
        terms, memory = estimator.loss(bowl(a), batch, memory, rng)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    assert a.item() == pytest.approx(1, abs=0.12)
    assert terms.log_z.item() == pytest.approx(LOG_TAU, abs=0.15)


# a correlated Gaussian


PRECISION = torch.linalg.inv(CORRELATED)
LOG_Z = LOG_TAU + torch.logdet(CORRELATED).item() / 2


@pytest.mark.parametrize(
    ("estimator", "memory"), [(cnce(0.7), None), (ranking(20), None), (ence(), LOG_Z)], ids=["cnce", "ranking", "ence"]
)
def test_that_contrasts_learn_the_precision_matrix(estimator, memory):
    def draws(matrix, c):
        p = matrix.clone().requires_grad_()
        found = []
        for seed in range(DRAWS):
            carried = None if c is None else scalar(c)
            (g,) = torch.autograd.grad(terms_of(estimator, quadratic(p), CORRELATED, carried, seed).loss, p)
            found.append((g + g.T) / 2)
        return summary(torch.stack(found))

    mean, error = draws(PRECISION, memory)
    assert (mean.abs() < 4.5 * error).all()
    mean, error = draws(1.3 * PRECISION, memory and memory - math.log(1.3))
    assert (mean * PRECISION).sum() > 4.5 * error.norm() * PRECISION.norm()


# noise that misses


def test_that_rarity_is_the_chance_of_a_draw_no_denser(rng):
    noise = GaussianNoise(mean=(1.0, -1.0), width=2.0)
    x = noise.sample(20_000, rng, EYE)
    r2 = ((x - torch.tensor([1.0, -1.0])) / 2).square().sum(-1)
    torch.testing.assert_close(noise.rarity(x), torch.from_numpy(chi2.sf(r2.numpy(), 2)))
    uniform = noise.rarity(x).sort().values
    assert (uniform - torch.linspace(0, 1, len(x), dtype=x.dtype)).abs().max() < 0.015


@pytest.mark.parametrize("kind", [NoiseContrastiveEstimation, RankingNoiseContrastiveEstimation, TelescopingRatios])
def test_that_noise_which_misses_data_is_complained_of(kind, rng):
    batch = Batch(isotropic(500, 1.0, rng), WINDOW)
    batch.x[:100] += 20.0
    near, far = kind(noise=GaussianNoise(width=12.0)), kind(noise=GaussianNoise(width=2.0))
    assert near.warning(bowl(0.01), batch, None) == ""
    assert "misses 20%" in far.warning(bowl(0.01), batch, None)


def test_that_noise_told_apart_at_a_glance_is_complained_of(rng):
    batch = Batch(isotropic(500, 0.01, rng), WINDOW)
    c = torch.tensor(LOG_TAU + math.log(0.01))
    for width, said in ((0.2, ""), (5.0, "at a glance")):
        found = NoiseContrastiveEstimation(noise=GaussianNoise(width=width)).warning(bowl(100.0), batch, c)
        assert (said in found) if said else not found


# several levels of denoising


@pytest.mark.parametrize("reduction", ["none", "antithetic", "taylor"])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_several_levels_of_denoising_learn_the_closed_form_compromise(variance, reduction):
    estimator = DenoisingScoreMatching(sigma=0.5, sigma_max=2.0, levels=3, variance_reduction=reduction)
    squares = torch.tensor([0.25, 1.0, 4.0], dtype=EYE.dtype)
    best = (squares.sum() / (squares * (variance + squares)).sum()).item()
    for a in (0.3, best):
        expected = (squares * (a**2 * (variance + squares) - 2 * a + 1 / squares)).mean().item()
        mean, error = values(estimator, bowl(a), variance * EYE)
        assert abs(mean - expected) < 4.5 * error
    mean, error = slopes(estimator, best, variance * EYE)
    assert abs(mean) < 4.5 * error
    mean, error = slopes(estimator, 1 / (variance + 0.25), variance * EYE)
    assert mean > 4.5 * error


def test_that_levels_must_rise():
    with pytest.raises(BadInput, match=r"at least its 0\.5"):
        DenoisingScoreMatching(sigma=0.5, sigma_max=0.4, levels=2)


def test_that_several_levels_are_said_to_be_a_compromise():
    assert not DenoisingScoreMatching().caution()
    assert "compromise" in DenoisingScoreMatching(levels=2).caution()
