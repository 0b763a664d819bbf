r"""Estimators of the Stein kind, on the standard test: data from N(0, s² I) and an energy a|x|²/2 + c."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from laws import CORRELATED, WINDOW, bowl, isotropic, normal, quadratic, scalar, slope
from scipy.integrate import quad
from scipy.stats import chi2
from torch.func import grad, jacrev, vmap

from ebmlab.engine.estimators import Batch, KernelSteinDiscrepancy, LearnedSteinDiscrepancy
from ebmlab.engine.estimators.inner import begin, descend, draw, layers, perceptron
from ebmlab.engine.estimators.lsd import Critic, arrows
from ebmlab.spec import BadInput

KERNELS = ["inverse-multiquadric", "gaussian"]
VARIANCES = [1.3, 0.5]
N, DRAWS = 600, 8
EYE = torch.eye(2, dtype=torch.float64)


def ksd(kernel, width=1.0):
    return KernelSteinDiscrepancy(kernel=kernel, width=width)


def summary(draws):
    draws = torch.as_tensor(draws, dtype=torch.float64)
    return draws.mean(0), draws.std(0) / math.sqrt(len(draws)) + 1e-8


def drawn(estimator, a, covariance):
    """Mean and error of the value, and of the slope in a, over batches drawn freely: pairs must be independent."""

    found = []
    for seed in range(DRAWS):
        rng, p = torch.Generator().manual_seed(seed), scalar(a)
        z = torch.randn(N, len(covariance), generator=rng, dtype=torch.float64)
        batch = Batch(z @ torch.linalg.cholesky(covariance).T, WINDOW)
        loss = estimator.loss(bowl(p, 3.0), batch, None, rng)[0]
        found.append([loss.value.item(), *slope(loss.loss, p)])
    mean, error = summary(found)
    return zip(mean.tolist(), error.tolist())


# the kernel


def stein_kernel(kernel, width, score):
    """k_p by automatic differentiation."""

    def k(x, y):
        r2 = (x - y).square().sum() / width**2
        return torch.exp(-r2 / 2) if kernel == "gaussian" else (1 + r2) ** -0.5

    def of_two(x, y):
        s, t = score(x), score(y)
        both = jacrev(grad(k, argnums=1), argnums=0)(x, y)
        return s @ t * k(x, y) + s @ grad(k, argnums=1)(x, y) + t @ grad(k)(x, y) + both.trace()

    return vmap(vmap(of_two, (None, 0)), (0, None))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_that_the_sum_over_pairs_is_that_of_the_stein_kernel(dim, kernel, rng):
    x = torch.randn(9, dim, generator=rng, dtype=torch.float64)
    pairs = stein_kernel(kernel, 0.7, lambda y: y.sin() - y)(x, x)
    expected = (pairs.sum() - pairs.diagonal().sum()) / (9 * 8)
    assert ksd(kernel, 0.7).among(x, x.sin() - x).item() == pytest.approx(expected.item(), abs=1e-12)


def exact(kernel, width, variance):
    """E[x·x' k(x, x')] for two points of N(0, s² I): with u = (x - x')/√2, x·x' is (|v|² - |u|²)/2, r² = 2|u|²."""

    def integrand(t):
        r2 = 2 * variance * t / width**2
        k = np.exp(-r2 / 2) if kernel == "gaussian" else (1 + r2) ** -0.5
        return chi2.pdf(t, 2) * k * variance * (2 - t) / 2

    return quad(integrand, 0, np.inf)[0]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("width", [0.5, 2.0])
def test_that_the_kernel_discrepancy_and_its_slope_have_their_closed_forms(width, variance, kernel):
    smooth = exact(kernel, width, variance)
    if kernel == "gaussian":
        c = 1 + 2 * variance / width**2
        assert smooth == pytest.approx((variance - variance / c) / c, rel=1e-7)
    for factor in (0.4, 1.0, 1.6):
        a = factor / variance
        (value, error), (tilt, error_of_tilt) = drawn(ksd(kernel, width), a, variance * EYE)
        assert abs(value - (a - 1 / variance) ** 2 * smooth) < 4.5 * error
        assert abs(tilt - 2 * (a - 1 / variance) * smooth) < 4.5 * error_of_tilt
        assert factor == 1 or abs(tilt) > 4.5 * error_of_tilt


def test_that_a_large_batch_is_paired_within_groups(rng):
    x = torch.randn(2500, 2, generator=rng, dtype=torch.float64)
    estimator = ksd("gaussian")
    groups = [estimator.among(part, -2 * part) for part in x.tensor_split(3)]
    value = estimator.loss(bowl(2.0), Batch(x, WINDOW), None, rng)[0].value
    assert value.item() == pytest.approx(torch.stack(groups).mean().item(), abs=1e-12)


def test_that_a_single_point_cannot_be_paired(rng):
    with pytest.raises(BadInput, match="at least 2"):
        ksd("gaussian").loss(bowl(1.0), Batch(torch.zeros(1, 2), WINDOW), None, rng)


@pytest.mark.parametrize("kernel", KERNELS)
def test_that_the_kernel_discrepancy_learns_the_precision_matrix(kernel, rng):
    precision = torch.linalg.inv(CORRELATED)

    def draws(matrix):
        p, found = matrix.clone().requires_grad_(), []
        for _ in range(DRAWS):
            x = torch.randn(N, 2, generator=rng, dtype=torch.float64) @ torch.linalg.cholesky(CORRELATED).T
            loss = ksd(kernel).loss(quadratic(p), Batch(x, WINDOW), None, rng)[0].loss
            (g,) = torch.autograd.grad(loss, p)
            found.append((g + g.T) / 2)
        return summary(torch.stack(found))

    mean, error = draws(precision)
    assert (mean.abs() < 4.5 * error).all()
    mean, error = draws(1.3 * precision)
    assert (mean * precision).sum() > 4.5 * error.norm() * precision.norm()


# the critic


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_that_the_divergence_of_the_critic_is_the_trace_of_its_jacobian(dim, rng):
    sizes, like = (dim, 7, 7, dim), torch.zeros(1, dtype=torch.float64)
    theta = draw(sizes, rng, like)
    assert not arrows(theta, sizes, torch.ones(3, dim, dtype=torch.float64))[0].any()
    theta = theta + 0.3 * torch.randn(theta.shape, generator=rng, dtype=torch.float64)
    x = torch.randn(11, dim, generator=rng, dtype=torch.float64)
    f, divergence = arrows(theta, sizes, x)
    torch.testing.assert_close(f, perceptron(theta, sizes, x))
    jacobian = vmap(jacrev(lambda y: arrows(theta, sizes, y[None])[0][0]))(x)
    torch.testing.assert_close(divergence, jacobian.diagonal(dim1=1, dim2=2).sum(-1))


def linear(b, x):
    """A critic f(x) = b x exactly: the difference of SiLU at a and -a is a."""

    theta = torch.zeros(2 * 4 + 4 + 16 + 4 + 8 + 2, dtype=x.dtype)
    (w1, _), (w2, _), (w3, _) = layers(theta, (2, 4, 4, 2))
    pairs = torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, -1]], dtype=x.dtype)
    w1.copy_(pairs.T)
    w2.copy_(pairs.T @ pairs)
    w3.copy_(b * pairs)
    return Critic((2, 4, 4, 2), begin(theta))


def lsd(penalty=0.5, rate=1e-7):
    return LearnedSteinDiscrepancy(penalty=penalty, critic_width=4, critic_steps=1, critic_rate=rate)


@pytest.mark.parametrize("penalty", [0.5, 2.0])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_with_the_best_critic_the_learned_discrepancy_has_its_closed_form(variance, penalty, rng):
    x = isotropic(2000, variance, rng)
    for factor in (0.5, 1.0, 1.5):
        p = scalar(factor / variance)
        gap = factor / variance - 1 / variance
        memory = linear(-gap / (2 * penalty), x)
        terms, _ = lsd(penalty).loss(bowl(p, 3.0), Batch(x, WINDOW), memory, rng)
        assert terms.value.item() == pytest.approx(gap**2 * 2 * variance / (4 * penalty), abs=1e-5)
        assert slope(terms.loss, p)[0] == pytest.approx(gap * 2 * variance / (2 * penalty), abs=1e-5)


def test_that_the_critic_learns_the_error_of_the_score(rng):
    """On a correlated Gaussian the best critic is (Σ⁻¹ - P) x / 2λ."""

    estimator = LearnedSteinDiscrepancy(penalty=0.5, critic_width=32, critic_steps=150, critic_rate=5e-3)
    x, precision = normal(1500, CORRELATED, rng), 0.5 * EYE
    batch = Batch(x, WINDOW)
    memory = estimator.init(quadratic(precision), batch, rng)
    terms, memory = estimator.loss(quadratic(precision), batch, memory, rng)

    wrong = torch.linalg.inv(CORRELATED) - precision
    truth = x @ wrong
    found = arrows(memory.learner.theta, memory.sizes, x)[0]
    assert (found - truth).square().mean() < 0.08 * truth.square().mean()
    assert terms.value.item() == pytest.approx((wrong @ CORRELATED @ wrong).trace().item() / 2, rel=0.1)


def test_that_the_critic_and_the_energy_find_the_precision_together(rng):
    estimator = LearnedSteinDiscrepancy(critic_width=16, critic_steps=3, critic_rate=5e-3)
    batch, a = Batch(isotropic(500, 0.5, rng), WINDOW), scalar(0.5)
    memory = estimator.init(bowl(a), batch, rng)
    optimizer = torch.optim.Adam([a], lr=0.03)
    for _ in range(150):
        terms, memory = estimator.loss(bowl(a), batch, memory, rng)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    assert a.item() == pytest.approx(2.0, abs=0.15)


def test_that_a_critic_of_another_width_starts_afresh(rng):
    memory = lsd().init(bowl(1.0), Batch(torch.zeros(3, 2), WINDOW), rng)
    assert lsd(penalty=3.0).fits(memory)
    assert not LearnedSteinDiscrepancy(critic_width=5).fits(memory)


# the inner optimiser


def test_that_the_inner_optimiser_is_adam_and_writes_to_nothing(rng):
    theta = torch.randn(5, generator=rng, dtype=torch.float64)
    target = torch.arange(5, dtype=torch.float64)
    p = theta.clone().requires_grad_()
    adam = torch.optim.Adam([p], lr=0.1, betas=(0.9, 0.99))
    first = learner = begin(theta)
    before = [part.clone() for part in first]
    for _ in range(7):
        learner = descend(learner, lambda t: (t - target).pow(4).sum(), 0.1)
        adam.zero_grad()
        (p - target).pow(4).sum().backward()
        adam.step()
    torch.testing.assert_close(learner.theta, p.detach())
    assert all(a.equal(b) for a, b in zip(before, first))


def test_that_several_perceptrons_at_once_are_each_alone(rng):
    sizes, like = (2, 5, 3), torch.zeros(1, dtype=torch.float64)
    theta = torch.stack([draw(sizes, rng, like) for _ in range(4)])
    theta = theta + torch.randn(theta.shape, generator=rng, dtype=torch.float64)
    x = torch.randn(4, 6, 2, generator=rng, dtype=torch.float64)
    alone = torch.stack([perceptron(t, sizes, y) for t, y in zip(theta, x)])
    torch.testing.assert_close(perceptron(theta, sizes, x), alone)
