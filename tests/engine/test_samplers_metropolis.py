from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, assert_covariance, bowl, double_well, excess, imbalance, isotropic, normal, quadratic, run

from ebmlab.engine.logz.base import biased
from ebmlab.engine.samplers import (
    ExactSampler,
    HamiltonianMonteCarlo,
    MetropolisLangevin,
    NoUTurnSampler,
    RandomWalkMetropolis,
    SliceSampler,
    slice,
)

N = 20_000
GAUSSIAN = quadratic(torch.linalg.inv(CORRELATED))


def exact(n, rng):
    return run(ExactSampler(half_width=4.0, resolution=512), double_well, isotropic(n, 1.0, rng), 1, rng)[0]


@pytest.mark.parametrize(("step_size", "temperature"), [(0.5, 1.0), (2.0, 1.0), (2.0, 0.25)])
def test_that_a_random_walk_on_the_line_accepts_what_its_closed_form_says(step_size, temperature, rng):
    sampler = RandomWalkMetropolis(step_size=step_size, temperature=temperature)
    x = isotropic(N, temperature, rng, dim=1)
    _, info = sampler.step(bowl(1.0), sampler.init(bowl(1.0), x), rng)
    expected = 2 / math.pi * math.atan(2 * math.sqrt(temperature) / step_size)
    assert abs(info.accept.mean() - expected) < 4 * info.accept.std() / math.sqrt(N)


def test_that_a_random_walk_of_the_best_step_in_the_plane_accepts_a_third(rng):
    sampler = RandomWalkMetropolis(step_size=2.38 / math.sqrt(2))
    _, info = sampler.step(bowl(1.0), sampler.init(bowl(1.0), isotropic(N, 1.0, rng)), rng)
    assert info.accept.mean().item() == pytest.approx(0.35, abs=0.02)


ADAPTIVE = [
    RandomWalkMetropolis(step_size=0.01, adapt=150),
    MetropolisLangevin(step_size=1e-3, adapt=150),
    HamiltonianMonteCarlo(step_size=0.01, adapt=150, leaps=3),
    NoUTurnSampler(step_size=0.05, adapt=60, doublings=3),
]


@pytest.mark.parametrize("sampler", ADAPTIVE, ids=lambda s: s.kind)
def test_that_dual_averaging_reaches_its_acceptance_and_then_stands_still(sampler, rng):
    chains = sampler.init(GAUSSIAN, normal(300, CORRELATED, rng))
    for _ in range(sampler.adapt):
        chains, _ = sampler.step(GAUSSIAN, chains, rng)
    frozen = chains.extra
    assert frozen.seen == sampler.adapt

    accept = []
    for _ in range(5):
        chains, info = sampler.step(GAUSSIAN, chains, rng)
        accept.append(info.accept.mean())
    assert chains.extra == frozen
    assert torch.stack(accept).mean().item() == pytest.approx(sampler.acceptance, abs=0.05)


@pytest.mark.parametrize("sampler", ADAPTIVE, ids=lambda s: s.kind)
def test_that_a_kernel_with_a_frozen_step_is_the_one_whose_step_was_given(sampler, rng):
    chains = sampler.init(double_well, isotropic(20, 1.0, rng))
    for _ in range(sampler.adapt):
        chains, _ = sampler.step(double_well, chains, rng)
    step = math.exp(chains.extra.log_mean)
    given = type(sampler)(**{**vars(sampler), "adapt": 0, "step_size": step})
    state = rng.get_state()
    tuned, _ = sampler.step(double_well, chains, rng)
    plain, _ = given.step(double_well, given.init(double_well, chains.x), rng.set_state(state))
    torch.testing.assert_close(tuned.x, plain.x, rtol=1e-12, atol=1e-12)
    assert plain.extra is None


def test_that_dual_averaging_follows_its_recursion(rng):
    sampler = HamiltonianMonteCarlo(step_size=0.3, adapt=4, acceptance=0.7)
    chains, mean, log_mean = sampler.init(GAUSSIAN, normal(64, CORRELATED, rng)), 0.0, 0.0
    for m in range(1, 5):
        chains, info = sampler.step(GAUSSIAN, chains, rng)
        mean += (0.7 - info.accept.mean().item() - mean) / (m + 10)
        log_step = math.log(3.0) - math.sqrt(m) / 0.05 * mean
        log_mean += m**-0.75 * (log_step - log_mean)
        assert chains.extra == pytest.approx((m, mean, log_step, log_mean), rel=1e-9)


def test_that_a_tuning_goes_on_when_the_energy_changes(rng):
    sampler = MetropolisLangevin(adapt=10)
    chains, _ = sampler.step(bowl(1.0), sampler.init(bowl(1.0), isotropic(9, 1.0, rng)), rng)
    assert sampler.refresh(bowl(2.0), chains).extra.seen == 1


def test_that_a_flat_energy_does_not_send_the_step_to_infinity(rng):
    sampler = RandomWalkMetropolis(adapt=50)
    chains = sampler.init(bowl(0.0), isotropic(9, 1.0, rng))
    for _ in range(60):
        chains, _ = sampler.step(bowl(0.0), chains, rng)
    assert math.exp(chains.extra.log_step) == pytest.approx(100.0)
    assert chains.x.isfinite().all()


def test_that_a_kernel_that_tunes_says_that_it_is_not_exact():
    tuning = HamiltonianMonteCarlo(adapt=30)
    assert not tuning.invariant
    assert "30 transitions" in tuning.caution()
    assert "biased" in biased(tuning)
    assert tuning.stability(4.0) is None
    plain = HamiltonianMonteCarlo()
    assert plain.invariant
    assert plain.caution() == biased(plain) == ""


def test_that_no_chains_leave_a_tuning_as_it_was(rng):
    sampler = RandomWalkMetropolis(adapt=5)
    chains, _ = sampler.step(bowl(1.0), sampler.init(bowl(1.0), torch.zeros(0, 2)), rng)
    assert chains.extra.seen == 0


@pytest.mark.parametrize("lines", ["random", "coordinate"])
@pytest.mark.parametrize(("width", "widths"), [(0.5, 1), (0.4, 3), (5.0, 10)])
def test_that_slices_leave_a_double_well_invariant_however_they_step_out(width, widths, lines, rng):
    start = exact(N, rng)
    sampler = SliceSampler(width=width, widths=widths, lines=lines)
    end, _ = run(sampler, double_well, start, 1, rng)
    assert abs(imbalance(start, end)) < 4
    end, _ = run(sampler, double_well, end, 2, rng)
    assert excess(end, double_well) < 4


@pytest.mark.parametrize("dim", [1, 3, 8])
def test_that_slices_settle_on_a_gaussian_in_any_dimension(dim, rng):
    covariance = 0.5 * torch.eye(dim, dtype=torch.float64)
    x, _ = run(SliceSampler(temperature=0.5), bowl(1.0), normal(N, covariance, rng), 5, rng)
    assert_covariance(x, covariance)


def test_that_a_line_along_a_coordinate_moves_that_coordinate_alone(rng):
    x = isotropic(200, 1.0, rng, dim=3)
    y, _ = run(SliceSampler(lines="coordinate"), bowl(1.0), x, 1, rng)
    assert ((x != y).sum(-1) == 1).all()
    assert set((x != y).nonzero()[:, 1].tolist()) == {0, 1, 2}


def test_that_a_segment_spans_no_more_widths_than_allowed(rng):
    sampler, x = SliceSampler(width=0.1, widths=4), torch.zeros(500, 1, dtype=torch.float64)
    line = slice.Slice(x, torch.ones_like(x), torch.full((500,), 50.0, dtype=torch.float64))
    low, high = sampler.step_out(bowl(1.0), line, rng)
    torch.testing.assert_close(high - low, torch.full_like(low, 0.4))
    assert ((low <= 0) & (high > 0)).all()
    assert low.mean().item() == pytest.approx(-0.2, abs=4 * 0.4 / math.sqrt(12 * 500))


def test_that_a_segment_ends_where_it_has_left_the_slice(rng):
    sampler, x = SliceSampler(width=0.3, widths=1000), torch.zeros(500, 1, dtype=torch.float64)
    line = slice.Slice(x, torch.ones_like(x), torch.full((500,), 2.0, dtype=torch.float64))  # |t| < 2
    low, high = sampler.step_out(bowl(1.0), line, rng)
    assert (low > -2.3).all()
    assert (high < 2.3).all()
    assert ((low <= -2) & (high >= 2)).double().mean() > 0.97  # the rest drew too few steps for one of the ends


def test_that_a_flat_slice_is_drawn_from_evenly(rng):
    def box(x):
        return torch.where(x[..., 0].abs() < 1, 0.0, torch.inf).to(x)

    start = torch.zeros(N, 1, dtype=torch.float64)
    x, _ = run(SliceSampler(width=0.7, widths=100), box, start, 1, rng)
    assert x.abs().max() < 1
    for moment in (2, 4):
        values = x.pow(moment)
        assert abs(values.mean() - 1 / (moment + 1)) < 4 * values.std() / math.sqrt(N)


def test_that_a_chain_outside_the_support_stays_or_finds_in(rng):
    def half(x):
        return torch.where(x[..., 0] > 0, x.square().sum(-1) / 2, torch.inf)

    x, _ = run(SliceSampler(width=2.0), half, torch.full((500, 2), -0.1, dtype=torch.float64), 20, rng)
    assert (x[:, 0] > 0).double().mean() > 0.9
    x, _ = run(SliceSampler(), lambda x: x.sum(-1) * torch.nan, torch.ones(5, 2), 2, rng)
    assert x.equal(torch.ones(5, 2))
