from __future__ import annotations

import math

import pytest
import torch
from scipy.special import iv

from ebmlab.engine.dimension import METHODS, PROBLEMS, study
from ebmlab.engine.dimension.problems import rotation
from ebmlab.engine.dimension.study import attempt, scaled, share, suited, within
from ebmlab.engine.dimension.tensor import tensor_quadrature
from ebmlab.engine.logz import AIS, ImportanceSampling, Jarzynski, Laplace, LogZ, NestedSampling, Quadrature, Scene
from ebmlab.engine.logz.base import log_mean
from ebmlab.engine.types import finish
from ebmlab.spec import BadInput, Knob

EVERY = pytest.mark.parametrize("kind", PROBLEMS)


def rows(*args, **knobs):
    return [step.row for step in study(*args, **knobs) if step.row is not None]


@EVERY
@pytest.mark.parametrize("dim", [2, 3])
def test_that_a_lattice_finds_the_log_z_that_is_said_to_be_exact(kind, dim):
    posed = PROBLEMS[kind]().pose(dim)
    *_, found = tensor_quadrature(posed.energy, dim, 64, 7.0, 10**7)
    assert found.value == pytest.approx(posed.log_z, abs=1e-5)
    assert abs(found.value - posed.log_z) < found.stderr + 1e-7


@pytest.mark.parametrize(("barrier", "distance"), [(3.0, 1.5), (0.5, 1.0), (10.0, 2.0)])
def test_that_a_product_of_double_wells_has_the_normaliser_of_bessel_functions(barrier, distance):
    # exp(-b (t² - 1)²) over t integrates to π/2 e^(-b/2) [I_{-1/4}(b/2) + I_{1/4}(b/2)].
    z = math.pi / 2 * math.exp(-barrier / 2) * (iv(-0.25, barrier / 2) + iv(0.25, barrier / 2))
    problem = PROBLEMS["double-wells"](barrier=barrier, distance=distance)
    for dim in (1, 5, 64):
        assert problem.pose(dim).log_z == pytest.approx(dim * math.log(distance * z), abs=1e-6 * dim)


@EVERY
@pytest.mark.parametrize("dim", [2, 16])
def test_that_the_draws_are_those_of_the_energy(kind, dim, rng):
    # Stein's identity: E[x · ∇E] = d under exp(-E)/Z, whatever the energy.
    posed = PROBLEMS[kind]().pose(dim)
    x = posed.sample(20_000, rng).requires_grad_()
    (grad,) = torch.autograd.grad(posed.energy(x).sum(), x)
    terms = (x * grad).sum(-1).detach()
    assert abs(terms.mean() - dim) < 4 * terms.std() / math.sqrt(len(x))


@pytest.mark.parametrize("kind", ["gaussian", "two-modes"])
def test_that_the_mean_energy_of_the_draws_is_that_of_the_law(kind, rng):
    # The entropy: E[E] + log Z, known for a normal law, and for two modes far apart.
    problem, dim = PROBLEMS[kind](), 8
    posed = problem.pose(dim)
    energy = posed.energy(posed.sample(20_000, rng))
    entropy = dim / 2 * math.log(2 * math.pi * math.e)
    if kind == "gaussian":
        entropy += posed.log_z - dim / 2 * math.log(2 * math.pi)
    else:
        entropy += dim * math.log(0.5) - 0.8 * math.log(0.8) - 0.2 * math.log(0.2)
    assert abs(energy.mean() + posed.log_z - entropy) < 4 * energy.std() / math.sqrt(len(energy))


@pytest.mark.parametrize("dim", [2, 7, 64])
def test_that_a_rotation_keeps_lengths_and_is_the_same_each_time(dim):
    turn = rotation(dim)
    torch.testing.assert_close(turn.T @ turn, torch.eye(dim, dtype=torch.float64))
    assert torch.equal(turn, rotation(dim))
    assert turn.abs().max() < 0.999999


def test_that_a_lattice_beyond_reason_says_how_many_points_it_would_take():
    with pytest.raises(BadInput, match=r"32\^8 points are 1.1e\+12"):
        list(tensor_quadrature(lambda x: x.sum(-1), 8, 32, 6.0, 10**7))


def test_that_the_error_of_a_lattice_knows_of_spacing_and_border():
    def bowl(s):
        *_, found = tensor_quadrature(lambda x: (x / s).square().sum(-1) / 2, 2, 32, 6.0, 10**6)
        return abs(found.value - math.log(2 * math.pi * s**2)), found.stderr

    for s in (0.15, 0.25, 1.0, 2.5, 4.0):
        error, stderr = bowl(s)
        assert error < stderr + 1e-12
    assert bowl(0.7)[1] < 1e-5


def test_that_the_share_of_effective_points_is_that_of_the_weights(rng):
    log_w = 2 * torch.randn(500, generator=rng, dtype=torch.float64)
    found = LogZ(*log_mean(log_w), 1.0, 500)
    w = log_w.exp()
    assert share(found) == pytest.approx((w.sum() ** 2 / (w**2).sum()).item() / 500, rel=1e-9)


def test_that_importance_sampling_loses_its_points_exponentially(rng):
    found = rows(PROBLEMS["gaussian"](least=1.0, most=1.0), ["importance"], (1, 2, 4, 8), rng, budget=40_000)
    # E[w²] / E[w]² = σ² / √(2σ² - 1) in each direction, σ = 3 being the width of the broad law.
    for row in found:
        assert row.ess == pytest.approx((math.sqrt(17) / 9) ** row.dim, rel=0.3)
        assert row.error < 5 * row.stderr


def test_that_a_lattice_ends_where_others_go_on(rng):
    found = rows(PROBLEMS["gaussian"](), ["quadrature", "laplace", "elbo"], (2, 16), rng, budget=30_000)
    plane, space = found[:3], found[3:]
    assert all(row.error < 1e-3 for row in plane)
    assert math.isnan(space[0].log_z)
    assert "32^16" in space[0].why
    assert space[1].error < 1e-9
    assert space[2].error < 0.05


@pytest.mark.parametrize("kind", METHODS)
def test_that_every_method_keeps_to_the_budget(kind, rng):
    (row,) = rows(PROBLEMS["gaussian"](), [kind], [2], rng, budget=8000)
    if kind == "quadrature":
        assert row.evaluations == 1024
    elif math.isfinite(row.log_z):
        assert 1000 < row.evaluations <= 16_000
    else:
        assert "budget" in row.why
    assert row.exact == pytest.approx(math.log(2 * math.pi * 0.75))


def test_that_what_a_problem_does_not_have_is_a_row_with_its_reason(rng):
    found = rows(PROBLEMS["plane"](), ["importance", "quadrature"], [1], rng)
    assert ["two dimensions" in row.why for row in found] == [True, True]
    assert all(math.isnan(row.log_z) for row in found)


def test_that_a_method_too_dear_for_the_budget_says_so(rng):
    (row,) = rows(PROBLEMS["gaussian"](), ["nested"], [4], rng, budget=1000)
    assert "even 8 particles take more than half the budget of 1,000" in row.why


def test_that_unknown_methods_and_dimensions_are_refused(rng):
    with pytest.raises(BadInput, match="no log-z"):
        next(study(PROBLEMS["gaussian"](), ["aiss"], [2], rng))
    with pytest.raises(BadInput, match="dimension 0"):
        next(study(PROBLEMS["gaussian"](), ["ais"], [2, 0], rng))


def test_that_a_study_says_how_far_it_is_and_repeats(rng):
    def steps():
        return list(study(PROBLEMS["two-modes"](), ["importance", "ais"], [1, 2], rng.manual_seed(3), budget=4000))

    one, two = steps(), steps()
    shares = [step.share for step in one]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [s.row for s in one if s.row] == [s.row for s in two if s.row]
    assert {s.text for s in one} == {f"{kind}, d = {d}" for kind in ("importance", "ais") for d in (1, 2)}


def test_that_kernels_are_suited_to_the_finest_feature():
    posed = PROBLEMS["gaussian"](least=0.2).pose(8)
    assert suited(AIS(), posed, 8).sampler.step_size == pytest.approx(0.2**2 / 4)
    assert suited(Jarzynski(), posed, 8).step_size == pytest.approx(0.2**2 / 4)
    assert suited(Laplace(), posed, 8) == Laplace()
    assert suited(ImportanceSampling(), posed, 8).width == suited(NestedSampling(), posed, 8).width == 3.0


def test_that_a_size_is_kept_within_its_bounds(rng):
    posed = PROBLEMS["gaussian"]().pose(1)
    like = torch.empty(0, dtype=torch.float64)
    work = scaled(Laplace(), Scene(posed.energy, like, (-6.0, 6.0, -6.0, 6.0), 1), rng, 10**8)
    assert finish(work).starts == 1024
    assert within(Knob(help="", low=2, high=5), 7) == 5
    assert within(Knob(help=""), 7) == 7


def test_that_quadrature_stands_for_the_tensor_product(rng):
    work = attempt(PROBLEMS["two-modes"](), Quadrature(), 3, rng, 10_000)
    assert finish(work).evaluations == 32**3
