r"""The standard test: data from N(0, s² I), or from a correlated Gaussian, and an energy a|x|²/2 + c, or xᵀPx/2."""

from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, WINDOW, bowl, isotropic, normal, quadratic, root, scalar, slope

from ebmlab.engine.energies import Quadratic
from ebmlab.engine.estimators import (
    ESTIMATORS,
    Batch,
    ContrastiveDivergence,
    DenoisingScoreMatching,
    GaussianNoise,
    ImplicitScoreMatching,
    MaximumLikelihood,
    NoiseContrastiveEstimation,
    PersistentContrastiveDivergence,
    SlicedScoreMatching,
)
from ebmlab.engine.estimators.pcd import Persistent
from ebmlab.engine.estimators.ssm import directions
from ebmlab.engine.samplers import Chains, ExactSampler, HamiltonianMonteCarlo, MetropolisLangevin, UnadjustedLangevin

VARIANCES = [1.3, 0.5]
N, DRAWS = 10_000, 6
PROJECTIONS = ["gaussian", "rademacher", "sphere"]
REDUCTIONS = ["none", "antithetic", "taylor"]


def terms_of(estimator, energy, covariance, seed=0, memory=None):
    """The terms of one step on fresh data whose second moments are exact. The memory is a function of the data."""

    rng = torch.Generator().manual_seed(seed)
    batch = Batch(normal(N, covariance, rng), WINDOW)
    carried = memory(batch.x) if memory else estimator.init(energy, batch, rng)
    return estimator.loss(energy, batch, carried, rng)[0]


def summary(draws):
    """Mean and standard error of independent draws; the floor stands for rounding."""

    draws = torch.as_tensor(draws, dtype=torch.float64)
    return draws.mean(0), draws.std(0) / math.sqrt(len(draws)) + 1e-8


def values(estimator, energy, covariance, **options):
    return summary([terms_of(estimator, energy, covariance, seed, **options).value for seed in range(DRAWS)])


def slopes(estimator, a, covariance, **options):
    def one(seed):
        p = scalar(a)
        return slope(terms_of(estimator, bowl(p), covariance, seed, **options).loss, p)[0]

    return summary([one(seed) for seed in range(DRAWS)])


def ball(variance, dim=2):
    return variance * torch.eye(dim, dtype=torch.float64)


def langevin_fixed_point(step_size, variance):
    return (1 - math.sqrt(1 - 2 * step_size / variance)) / step_size


def ula(step_size):
    return UnadjustedLangevin(step_size=step_size)


def name(case):
    knobs = vars(case).values() if hasattr(case, "kind") else ()
    return "-".join(filter(None, (getattr(case, "kind", ""), *(getattr(k, "kind", str(k)) for k in knobs))))


# value


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("a", [0.3, 0.8, 2.0])
def test_that_the_exact_likelihood_has_its_closed_form(a, dim, variance):
    p = scalar(a)
    terms = terms_of(MaximumLikelihood(), bowl(p, 1.5), ball(variance, dim))
    assert terms.value.item() == pytest.approx(a * dim * variance / 2 - dim / 2 * math.log(a / (2 * math.pi)), abs=1e-8)
    assert slope(terms.loss, p)[0] == pytest.approx(dim * variance / 2 - dim / (2 * a), abs=1e-7)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("a", [0.3, 2.0])
def test_that_implicit_and_sliced_score_matching_have_the_same_closed_form(a, variance):
    covariance, expected = ball(variance), a**2 * variance - 2 * a
    assert terms_of(ImplicitScoreMatching(), bowl(a), covariance).value.item() == pytest.approx(expected, abs=1e-9)
    for projection in PROJECTIONS:
        for reduction in (False, True):
            sliced = SlicedScoreMatching(projection=projection, variance_reduction=reduction)
            mean, error = values(sliced, bowl(a), covariance)
            assert abs(mean - expected) < 4.5 * error
    optimum = terms_of(ImplicitScoreMatching(), bowl(1 / variance), covariance).value.item()
    assert optimum == pytest.approx(-1 / variance, abs=1e-9)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_that_denoising_score_matching_has_its_closed_form_and_optimum(sigma, variance, reduction):
    estimator, covariance = DenoisingScoreMatching(sigma=sigma, variance_reduction=reduction), ball(variance)
    for a in (0.4, best := 1 / (variance + sigma**2)):
        expected = a**2 * (variance + sigma**2) - 2 * a + sigma**-2
        mean, error = values(estimator, bowl(a), covariance)
        assert abs(mean - expected) < 4.5 * error
    assert expected == pytest.approx(sigma**-2 - best)


def test_that_the_best_nce_loss_is_that_of_the_jensen_shannon_divergence():
    estimator = NoiseContrastiveEstimation(ratio=1, noise=GaussianNoise(width=2.0))
    c = scalar(math.log(2 * math.pi))
    mean, error = values(estimator, bowl(1.0), ball(1.0), memory=lambda x: c)
    assert 2 * math.log(2) - 2 * 0.17332 == pytest.approx(1.03966, abs=1e-5)
    assert error < 2e-3
    assert abs(mean - 1.03966) < 4.5 * error


@pytest.mark.parametrize("a", [0.3, 0.8, 1.2])
@pytest.mark.parametrize("step_size", [0.05, 0.3])
def test_that_the_gradient_of_one_step_contrastive_divergence_has_its_closed_form(step_size, a):
    estimator, m2 = ContrastiveDivergence(steps=1, sampler=ula(step_size)), 2.6
    mean, error = slopes(estimator, a, ball(1.3))
    assert abs(mean - (m2 - (1 - step_size * a) ** 2 * m2 - 4 * step_size) / 2) < 4.5 * error
    assert error < 2e-2


# fixed point


def fixed_points():
    assert langevin_fixed_point(0.05, 1.3) == pytest.approx(0.7846, abs=5e-5)
    assert langevin_fixed_point(0.3, 1.3) == pytest.approx(0.8873, abs=5e-5)
    for s2 in VARIANCES:
        yield MaximumLikelihood(), s2, 1 / s2
        yield ImplicitScoreMatching(), s2, 1 / s2
        for projection in PROJECTIONS:
            for reduction in (False, True):
                yield SlicedScoreMatching(projection=projection, variance_reduction=reduction), s2, 1 / s2
        for reduction in REDUCTIONS:
            yield DenoisingScoreMatching(sigma=0.5, variance_reduction=reduction), s2, 1 / (s2 + 0.25)
        for k, step_size in ((10, 0.05), (1, 0.2)):
            yield ContrastiveDivergence(steps=k, sampler=ula(step_size)), s2, langevin_fixed_point(step_size, s2)
        yield ContrastiveDivergence(steps=5, sampler=MetropolisLangevin(step_size=0.3)), s2, 1 / s2
        yield ContrastiveDivergence(steps=2, sampler=HamiltonianMonteCarlo(step_size=0.5, leaps=2)), s2, 1 / s2
    yield ContrastiveDivergence(steps=5, sampler=ula(0.3)), 1.3, 0.8873


@pytest.mark.parametrize(("estimator", "variance", "a"), list(fixed_points()), ids=name)
def test_that_the_learnt_precision_is_the_closed_form_s(estimator, variance, a):
    covariance = ball(variance)
    mean, error = slopes(estimator, a, covariance)
    assert abs(mean) < 4.5 * error + 1e-5
    for factor, sign in ((0.85, -1), (1.15, 1)):
        mean, error = slopes(estimator, factor * a, covariance)
        assert sign * mean > 4.5 * error


@pytest.mark.parametrize("variance", VARIANCES)
def test_that_persistent_chains_learn_the_precision_of_their_discretised_sampler(variance):
    covariance = ball(variance)

    def itself(x):
        return Persistent(Chains(x), biased.sampler)

    biased = PersistentContrastiveDivergence(steps=8, restart=0.0, sampler=ula(0.2))
    mean, error = slopes(biased, langevin_fixed_point(0.2, variance), covariance, memory=itself)
    assert abs(mean) < 4.5 * error
    mean, error = slopes(biased, 1 / variance, covariance, memory=itself)
    assert mean < -5 * error
    exact = PersistentContrastiveDivergence(steps=5, restart=0.0, sampler=MetropolisLangevin(step_size=0.2))
    mean, error = slopes(exact, 1 / variance, covariance, memory=itself)
    assert abs(mean) < 4.5 * error


@pytest.mark.parametrize("ratio", [1, 4])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_nce_learns_the_precision_and_log_z(variance, ratio):
    estimator = NoiseContrastiveEstimation(ratio=ratio, noise=GaussianNoise(mean=(0.5, 0.0), width=1.5))
    covariance, log_z = ball(variance), math.log(2 * math.pi * variance)

    def draw(seed, a, c):
        p, q = scalar(a), scalar(c)
        return slope(terms_of(estimator, bowl(p, 3.0), covariance, seed, memory=lambda x: q).loss, p, q)

    mean, error = summary([draw(seed, 1 / variance, log_z - 3) for seed in range(DRAWS)])
    assert (mean.abs() < 4.5 * error).all()
    c = root(lambda c: draw(0, 1 / variance, c)[1], log_z - 8, log_z + 2)
    assert c == pytest.approx(log_z - 3, abs=0.03)


def test_that_nce_starts_its_constant_at_log_z(rng):
    estimator = NoiseContrastiveEstimation(noise=GaussianNoise(width=2.0))
    c = estimator.init(bowl(1.0, 5.0), Batch(isotropic(N, 1.0, rng), WINDOW), rng)
    assert c.item() == pytest.approx(math.log(2 * math.pi) - 5, abs=0.04)


# sign, constants


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("kind", [kind for kind, cls in ESTIMATORS.items() if not cls().refusal(Quadratic())])
def test_that_a_flat_energy_is_told_to_curve_upward_and_a_constant_changes_nothing(kind, variance):
    estimator, covariance, a = ESTIMATORS[kind](), ball(variance), scalar(1e-3)
    plain, shifted = terms_of(estimator, bowl(a), covariance), terms_of(estimator, bowl(a, 7.0), covariance)
    (down,), (same,) = slope(plain.loss, a), slope(shifted.loss, a)
    assert down < 0
    assert same == pytest.approx(down, rel=1e-9)
    assert plain.value is None or shifted.value.item() == pytest.approx(plain.value.item(), rel=1e-9)
    assert plain.log_z is None or shifted.log_z.item() == pytest.approx(plain.log_z.item() - 7, rel=1e-9)


# a correlated Gaussian


PRECISION = torch.linalg.inv(CORRELATED)


def langevin_precision(step_size):
    """P with P (I - εP/2) = Σ⁻¹."""

    values, vectors = torch.linalg.eigh(PRECISION)
    return vectors @ torch.diag((1 - (1 - 2 * step_size * values).sqrt()) / step_size) @ vectors.T


@pytest.mark.parametrize(
    ("estimator", "precision"),
    [
        (MaximumLikelihood(), PRECISION),
        (ImplicitScoreMatching(), PRECISION),
        *((SlicedScoreMatching(projection=p), PRECISION) for p in PROJECTIONS),
        (SlicedScoreMatching(variance_reduction=False), PRECISION),
        *(
            (
                DenoisingScoreMatching(sigma=0.5, variance_reduction=r),
                torch.linalg.inv(CORRELATED + 0.25 * torch.eye(2)),
            )
            for r in REDUCTIONS
        ),
        (ContrastiveDivergence(steps=5, sampler=ula(0.15)), langevin_precision(0.15)),
        (ContrastiveDivergence(steps=5, sampler=MetropolisLangevin(step_size=0.3)), PRECISION),
        (ContrastiveDivergence(steps=1, sampler=ExactSampler(half_width=7, resolution=512)), PRECISION),
    ],
    ids=name,
)
def test_that_the_learnt_precision_matrix_is_the_closed_form_s(estimator, precision):
    def draws(matrix):
        p = matrix.clone().requires_grad_()
        gradients = [
            torch.autograd.grad(terms_of(estimator, quadratic(p), CORRELATED, s).loss, p)[0] for s in range(DRAWS)
        ]
        return summary(torch.stack([(g + g.T) / 2 for g in gradients]))

    mean, error = draws(precision)
    assert (mean.abs() < 4.5 * error + 1e-5).all()
    mean, error = draws(1.2 * precision)
    assert (mean * precision).sum() > 4.5 * error.norm() * precision.norm()


# variance


@pytest.mark.parametrize(("sigma", "table"), [(0.1, 260.0), (0.5, 10.4), (1.0, 2.60)])
def test_that_the_variance_of_the_denoising_gradient_grows_as_the_noise_shrinks_unless_reduced(sigma, table, rng):
    n, s2, d = 50_000, 1.3, 2
    a = 1 / (s2 + sigma**2)
    ends = 2 * a**2 * s2**2 + 2 * (1 - a * sigma**2) ** 2
    expected = {
        "none": d * (ends + (2 * a * sigma - 1 / sigma) ** 2 * s2),
        "antithetic": d * ends,
        "taylor": d * (ends + (2 * a * sigma) ** 2 * s2),
    }
    assert expected["none"] == pytest.approx(d * s2 / sigma**2, rel=1e-9)
    assert expected["none"] == pytest.approx(table, abs=5e-3)

    batch = Batch(isotropic(n, s2, rng), WINDOW)
    for reduction, variance in expected.items():
        each = torch.full((n,), a, dtype=torch.float64, requires_grad=True)

        def energy(y, each=each):
            return each.repeat(len(y) // n) * y.square().sum(-1) / 2

        estimator = DenoisingScoreMatching(sigma=sigma, variance_reduction=reduction)
        (gradient,) = torch.autograd.grad(estimator.loss(energy, batch, None, rng)[0].loss, each)
        assert (n * gradient).var().item() == pytest.approx(variance, rel=0.04)


@pytest.mark.parametrize(("projection", "variance"), [("gaussian", 11.96), ("rademacher", 1.96), ("sphere", 5.48)])
def test_that_directions_have_unit_covariance_and_measure_the_trace_with_the_known_variance(projection, variance, rng):
    hessian = torch.tensor([[2.0, 0.7], [0.7, -1.0]], dtype=torch.float64)
    v = directions(projection, torch.zeros(200_000, 2, dtype=torch.float64), rng)
    torch.testing.assert_close(v.T @ v / len(v), torch.eye(2, dtype=torch.float64), atol=0.015, rtol=0)
    curvature = (v @ hessian * v).sum(-1)
    assert abs(curvature.mean() - 1) < 4.5 * math.sqrt(variance / len(v))
    assert curvature.var().item() == pytest.approx(variance, rel=0.03)
