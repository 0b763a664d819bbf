from __future__ import annotations

import math

import pytest
import torch
from laws import (
    CORRELATED,
    STAGES,
    assert_covariance,
    bowl,
    double_well,
    excess,
    imbalance,
    isotropic,
    normal,
    quadratic,
    run,
    watch,
)

from ebmlab.engine import tent
from ebmlab.engine.samplers import (
    SAMPLERS,
    ExactSampler,
    HamiltonianMonteCarlo,
    MetropolisLangevin,
    NoUTurnSampler,
    RandomWalkMetropolis,
    SliceSampler,
    UnadjustedLangevin,
)
from ebmlab.engine.samplers.leapfrog import hamiltonian, leap
from ebmlab.spec import BadInput

GAUSSIAN = quadratic(torch.linalg.inv(CORRELATED))
N = 50_000
SPACES = {"exact": [], "mclmc": [(5, 3), (5, 8)]}
"""Shapes of points off the plane, for kinds that do not live in every dimension."""


EXACT_KERNELS = [
    MetropolisLangevin(step_size=0.4),
    HamiltonianMonteCarlo(step_size=0.6, leaps=3),
    RandomWalkMetropolis(step_size=1.0),
    SliceSampler(),
    ExactSampler(half_width=8, resolution=512),
]


@pytest.mark.parametrize("temperature", [1.0, 0.3, 2.5])
@pytest.mark.parametrize("sampler", EXACT_KERNELS, ids=lambda s: s.kind)
def test_that_a_correlated_gaussian_is_invariant_at_any_temperature(sampler, temperature, rng):
    sampler = type(sampler)(**{**vars(sampler), "temperature": temperature})
    assert sampler.temperature_sampled() == temperature
    x, _ = run(sampler, GAUSSIAN, normal(N, temperature * CORRELATED, rng), 5, rng)
    assert_covariance(x, temperature * CORRELATED)


@pytest.mark.parametrize(("step_size", "variance"), [(0.1, 1.0526), (0.5, 1.3333), (1.0, 2.0)])
def test_that_langevin_inflates_the_variance_of_a_gaussian_as_its_closed_form_says(step_size, variance, rng):
    assert 1 / (1 - step_size / 2) == pytest.approx(variance, abs=5e-5)
    x, _ = run(UnadjustedLangevin(step_size=step_size), bowl(1.0), isotropic(N, 1.0, rng), 20, rng)
    assert_covariance(x, torch.eye(2, dtype=torch.float64) / (1 - step_size / 2))


def test_that_langevin_settles_on_the_temperature_it_names_up_to_its_bias(rng):
    sampler = UnadjustedLangevin(step_size=0.2, temperature=0.5)
    precision = torch.linalg.inv(CORRELATED)
    biased = 0.5 * torch.linalg.inv(precision @ (torch.eye(2, dtype=torch.float64) - 0.1 * precision))
    x, _ = run(sampler, GAUSSIAN, normal(N, biased, rng), 5, rng)
    assert_covariance(x, biased)
    assert sampler.temperature_sampled() == 0.5


@pytest.mark.parametrize(
    ("sampler", "steps"),
    [
        (MetropolisLangevin(step_size=0.15), 100),
        (HamiltonianMonteCarlo(step_size=0.3, leaps=4), 40),
        (RandomWalkMetropolis(step_size=0.8), 100),
        (SliceSampler(), 30),
        (NoUTurnSampler(step_size=0.4), 12),
        (ExactSampler(half_width=4.0), 1),
        (UnadjustedLangevin(step_size=5e-3), 200),
    ],
    ids=lambda s: getattr(s, "kind", s),
)
def test_that_a_double_well_passes_chi_square(sampler, steps, rng):
    x = isotropic(10_000, 0.3, rng)  # MALA stands still where the force is steep, so no start far out
    if sampler.kind == "ula":  # too slow to forget a wrong start, so it must keep a right one
        x, _ = run(ExactSampler(half_width=4.0), double_well, x, 1, rng)
    else:
        assert excess(x, double_well) > 20
    x, _ = run(sampler, double_well, x, steps, rng)
    assert excess(x, double_well) < 4


@pytest.mark.parametrize(
    "sampler",
    [
        MetropolisLangevin(step_size=0.2),
        HamiltonianMonteCarlo(step_size=0.45, leaps=3),
        RandomWalkMetropolis(step_size=0.8),
        NoUTurnSampler(step_size=0.6, doublings=3),
    ],
    ids=lambda s: s.kind,
)
def test_that_as_much_flows_there_as_back(sampler, rng):
    start, _ = run(ExactSampler(half_width=4.0, resolution=512), double_well, isotropic(N, 1.0, rng), 1, rng)
    end, info = run(sampler, double_well, start, 1, rng)
    assert 0.3 < info.accept.mean() < 0.97
    assert abs(imbalance(start, end)) < 4


def test_that_langevin_without_the_test_breaks_detailed_balance(rng):
    start, _ = run(ExactSampler(half_width=4.0, resolution=512), double_well, isotropic(N, 1.0, rng), 1, rng)
    end, _ = run(UnadjustedLangevin(step_size=0.2), double_well, start, 1, rng)
    assert imbalance(start, end) > 10


def test_that_the_ratio_of_mala_is_that_of_the_densities_of_its_moves(rng):
    sampler = MetropolisLangevin(step_size=0.3, temperature=0.7)
    chains = sampler.init(double_well, isotropic(50, 0.5, rng))
    seen, (_, info) = watch(sampler.stages(double_well, chains, rng))
    there = sampler.init(double_well, seen[0].points)

    def log_move(a, b):
        return -(b.x - a.x + 0.3 * a.grad).square().sum(-1) / (4 * 0.3 * 0.7)

    ratio = (chains.energy - there.energy) / 0.7 + log_move(there, chains) - log_move(chains, there)
    torch.testing.assert_close(info.accept, ratio.clamp(max=0).exp(), rtol=1e-9, atol=1e-12)


def test_that_leapfrog_retraces_its_path_when_the_velocity_turns_round(rng):
    start, v = HamiltonianMonteCarlo().init(double_well, isotropic(100, 1.0, rng)), isotropic(100, 1.0, rng)
    there, w = start, v
    for _ in range(20):
        there, w = leap(double_well, there, w, 0.1)
    assert (there.x - start.x).norm(dim=-1).mean() > 0.5
    w = -w
    for _ in range(20):
        there, w = leap(double_well, there, w, 0.1)
    assert (there.x - start.x).abs().max() < 1e-10
    assert (w + v).abs().max() < 1e-10


def test_that_a_leap_keeps_the_volume():
    basis = torch.eye(4, dtype=torch.float64)
    start = HamiltonianMonteCarlo().init(GAUSSIAN, basis[:, :2])
    chains, v = leap(GAUSSIAN, start, basis[:, 2:], 0.7)
    assert torch.linalg.det(torch.cat([chains.x, v], -1)).item() == pytest.approx(1.0, abs=1e-12)


def test_that_the_mean_of_exp_minus_the_energy_error_is_one(rng):
    start, v = HamiltonianMonteCarlo().init(GAUSSIAN, normal(N, CORRELATED, rng)), isotropic(N, 1.0, rng)
    there, w = start, v
    for _ in range(5):
        there, w = leap(GAUSSIAN, there, w, 0.8)
    ratio = (hamiltonian(start, v) - hamiltonian(there, w)).exp()
    assert ratio.std() > 0.1
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / math.sqrt(N)


def test_that_hmc_rejects_a_quarter_as_often_at_half_the_step(rng):
    x = normal(N, CORRELATED, rng)
    rejected = [
        1 - run(HamiltonianMonteCarlo(step_size=0.2 / m, leaps=5 * m), GAUSSIAN, x, 1, rng)[1].accept.mean().item()
        for m in (1, 2, 4)
    ]
    assert rejected[2] < 2e-3
    assert rejected[0] / rejected[1] == pytest.approx(4, rel=0.15)
    assert rejected[1] / rejected[2] == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize(
    "sampler",
    [
        MetropolisLangevin(step_size=0.2),
        HamiltonianMonteCarlo(step_size=0.3, leaps=4),
        RandomWalkMetropolis(step_size=0.4),
    ],
    ids=lambda s: s.kind,
)
def test_that_a_proposal_without_a_finite_energy_is_rejected(sampler, rng):
    def dome(x):  # exp(-E) = 1 - |x|², and NaN beyond the rim
        return -(1 - x.square().sum(-1)).log()

    assert dome(torch.ones(1, 2)).isnan().all()
    radius = (1 - torch.rand(N, generator=rng, dtype=torch.float64).sqrt()).sqrt()
    x, info = run(sampler, dome, torch.stack([radius, 0 * radius], -1), 8, rng)
    square = x.square().sum(-1)
    assert (square < 1).all()
    assert (info.accept == 0).any()
    assert abs(square.mean() - 1 / 3) < 4 * square.std() / math.sqrt(len(x))


@pytest.mark.parametrize("kind", ["mala", "hmc", "rwm", "slice"])
def test_that_no_chain_falls_into_a_pit_without_a_bottom(kind, rng):
    def pit(x):
        return torch.where(x[..., 0] > 1, -torch.inf, x.square().sum(-1) / 2)

    x, _ = run(SAMPLERS[kind](), pit, torch.zeros(2000, 2, dtype=torch.float64), 30, rng)
    assert 0.8 < x[:, 0].max() < 1


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_that_the_stability_limit_is_where_a_sampler_breaks(factor, rng):
    curvature = 4.0
    langevin = UnadjustedLangevin(step_size=factor * 2 / curvature)
    leapfrog = HamiltonianMonteCarlo(step_size=factor * 2 / math.sqrt(curvature), leaps=60)
    assert langevin.stability(curvature) == pytest.approx(factor)
    assert leapfrog.stability(curvature) == pytest.approx(factor)
    assert MetropolisLangevin(step_size=10.0).stability(curvature) is None

    x, _ = run(langevin, bowl(curvature), isotropic(1000, 0.25, rng), 60, rng)
    _, info = run(leapfrog, bowl(curvature), isotropic(1000, 0.25, rng), 1, rng)
    assert (x.abs().max() < 10) == (factor < 1)
    assert (info.accept.mean() > 0.1) == (factor < 1)


def test_that_mala_never_flies_off_however_large_the_step(rng):
    x, info = run(MetropolisLangevin(step_size=10.0), bowl(4.0), isotropic(1000, 0.25, rng), 60, rng)
    assert x.abs().max() < 3
    assert info.accept.mean() < 0.01


def test_that_the_exact_sampler_draws_the_interpolant_whose_jitter_adds_a_sixth_of_the_cell(rng):
    sampler = ExactSampler(half_width=6.0, resolution=12)  # h = 1, σ = 1: the jitter is not small
    x, _ = run(sampler, bowl(1.0), isotropic(N, 9.0, rng), 1, rng)
    assert_covariance(x, torch.eye(2, dtype=torch.float64) * (1 + 1 / 6))


def test_that_the_exact_sampler_never_draws_where_the_energy_is_infinite(rng):
    def half(x):
        return torch.where(x[..., 0] > 0, x.square().sum(-1) / 2, torch.inf)

    h = 24 / 256
    x, _ = run(ExactSampler(), half, isotropic(20_000, 1.0, rng), 1, rng)
    assert x[:, 0].min() > -h / 2
    assert x[:, 0].mean().item() == pytest.approx(math.sqrt(2 / math.pi), abs=0.02)


@pytest.mark.parametrize(("u", "cell"), [(0.0, 1.0), (0.5, 3.0), (1.0, 3.0)])
def test_that_a_cell_without_mass_is_never_drawn(u, cell, rng, monkeypatch):
    monkeypatch.setattr(tent, "rand", lambda shape, rng, like: torch.full(shape, u if len(shape) == 1 else 0.5))
    sums = tent.cumulative(torch.tensor([-torch.inf, 0.0, torch.nan, 0.0]))
    assert sums.tolist() == [0.0, 0.5, 0.5, 1.0]
    assert tent.draw(torch.arange(4.0).unsqueeze(-1), sums, torch.ones(1), 1, rng).item() == cell


def test_that_the_exact_sampler_says_what_it_cannot_draw(rng):
    with pytest.raises(BadInput, match="3 dimensions"):
        ExactSampler().init(bowl(1.0), torch.zeros(4, 3))
    with pytest.raises(BadInput, match="finite nowhere"):
        ExactSampler().init(lambda x: x.sum(-1) * torch.nan, torch.zeros(4, 2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", list(SAMPLERS))
def test_that_a_transition_keeps_shape_type_and_its_input(kind, dtype, rng):
    sampler = SAMPLERS[kind]()
    for shape in [(7, 2), (1, 2), (0, 2), *SPACES.get(kind, [(5, 1), (5, 3)])]:
        x = torch.randn(shape, generator=rng, dtype=dtype)
        start = sampler.init(bowl(1.0), x.clone())
        before = [t.clone() for t in start[:3] if t is not None]
        chains, info = sampler.step(bowl(1.0), start, rng)
        assert (chains.x.shape, chains.x.dtype) == (x.shape, dtype)
        assert info.accept.shape == x.shape[:1]
        if chains.energy is not None:
            torch.testing.assert_close(chains.energy, bowl(1.0)(chains.x))
        if chains.grad is not None:
            torch.testing.assert_close(chains.grad, chains.x)
        assert all(a.equal(b) for a, b in zip(before, start[: len(before)], strict=True))


@pytest.mark.parametrize("kind", list(SAMPLERS))
def test_that_slow_motion_draws_the_same_points_and_names_its_stages(kind, rng):
    sampler = SAMPLERS[kind]()
    start = sampler.init(double_well, isotropic(9, 1.0, rng))
    state = rng.get_state()
    fast, _ = sampler.step(double_well, start, rng)

    seen, (slow, _) = watch(sampler.stages(double_well, start, rng.set_state(state)))
    assert slow.x.equal(fast.x)
    assert seen[-1].points.equal(fast.x)
    assert {s.name for s in seen} <= STAGES
    assert all(s.text.endswith(".") for s in seen)


def test_that_hmc_shows_every_leap_of_its_path(rng):
    sampler = HamiltonianMonteCarlo(leaps=4)
    names = [s.name for s in sampler.stages(double_well, sampler.init(double_well, isotropic(9, 1.0, rng)), rng)]
    assert names == ["proposal"] * 4 + ["accepted"]
