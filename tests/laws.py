"""Closed forms and statistics that tests of the engine share. All of it is float64."""

from __future__ import annotations

import math

import torch

WINDOW = (-6.0, 6.0, -6.0, 6.0)
CORRELATED = torch.tensor([[1.3, 0.6], [0.6, 0.8]], dtype=torch.float64)
STAGES = {"data", "proposal", "accepted", "negatives", "noise", "swap", "resample", "positive", "negative", "update"}


def bowl(a, c=0.0):
    """E = a|x|²/2 + c, the model of the standard test; a is a number, a scalar tensor, or one number per point."""

    return lambda x: a * x.square().sum(-1) / 2 + c


def quadratic(precision):
    """E = xᵀPx/2."""

    return lambda x: (x @ precision * x).sum(-1) / 2


def double_well(x):
    """E = (x² - 1)² + y²/2."""

    return (x[..., 0].square() - 1).square() + x[..., 1].square() / 2


def scalar(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def normal(n, covariance, rng):
    """Points whose mean and second moments are those of N(0, Σ) to rounding, not only on average."""

    x = torch.randn(n, len(covariance), generator=rng, dtype=torch.float64)
    x = x - x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(moments(x))).T @ torch.linalg.cholesky(covariance).T


def isotropic(n, variance, rng, dim=2):
    return normal(n, variance * torch.eye(dim, dtype=torch.float64), rng)


def moments(x):
    """The matrix of second moments."""

    return x.T @ x / len(x)


def slope(loss, *parameters):
    """The gradient of a loss in scalars, as numbers."""

    return [g.item() for g in torch.autograd.grad(loss, parameters)]


def root(f, low, high):
    """The zero of an increasing function, by bisection."""

    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if f(middle) > 0 else (middle, high)
    return (low + high) / 2


def watch(stages):
    """Runs a staged computation in slow motion; returns the stages seen and the result."""

    seen = []
    try:
        while True:
            seen.append(next(stages))
    except StopIteration as end:
        return seen, end.value


def run(sampler, energy, x, steps, rng):
    """Moves chains a number of times; returns where they end and what happened last."""

    chains = sampler.init(energy, x)
    for _ in range(steps):
        chains, info = sampler.step(energy, chains, rng)
    return chains.x, info


def assert_covariance(x, covariance):
    """Every second moment lies within four and a half standard errors."""

    variance = covariance.diag()
    error = ((torch.outer(variance, variance) + covariance.square()) / len(x)).sqrt()
    assert ((moments(x) - covariance).abs() < 4.5 * error).all()


def plane(half, k):
    """A lattice of [-half, half]², with shape (k², 2), and the area of its cell."""

    t = (torch.arange(k, dtype=torch.float64) + 0.5) * (2 * half / k) - half
    return torch.cartesian_prod(t, t), (2 * half / k) ** 2


def bins(x, half=2.5, k=8):
    """The number of the square bin that holds each point: k² bins, and one more for all that lies outside."""

    cell = ((x + half) * (k / (2 * half))).floor().long()
    inside = ((cell >= 0) & (cell < k)).all(-1)
    return torch.where(inside, cell[:, 0] * k + cell[:, 1], k * k)


def excess(x, energy, half=2.5, k=8, fine=768):
    """How many standard deviations the chi-square of points against exp(-E) on [-6, 6]² lies above its mean."""

    points, _ = plane(6.0, fine)
    mass = torch.zeros(k * k + 1, dtype=torch.float64)
    mass.index_add_(0, bins(points, half, k), (-energy(points)).softmax(0))
    count = torch.bincount(bins(x, half, k), minlength=k * k + 1).double()

    rare = mass * len(x) < 10
    expected = torch.cat([mass[~rare], mass[rare].sum()[None]]) * len(x)
    found = torch.cat([count[~rare], count[rare].sum()[None]])
    expected, found = expected[expected > 1], found[expected > 1]
    return _excess((found - expected).square() / expected, len(expected) - 1)


def imbalance(x, y, half=2.0, k=5):
    """How many standard deviations the flux between bins is from being as large there as back, for moves x to y."""

    flux = torch.zeros(k * k + 1, k * k + 1, dtype=torch.float64)
    flux.index_put_((bins(x, half, k), bins(y, half, k)), torch.ones(len(x), dtype=torch.float64), accumulate=True)
    total = (flux + flux.T).triu(1)
    pairs = total > 10
    return _excess((flux - flux.T)[pairs].square() / total[pairs], int(pairs.sum()))


def _excess(terms, freedom):
    return (terms.sum().item() - freedom) / math.sqrt(2 * freedom)
