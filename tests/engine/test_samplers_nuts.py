from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, assert_covariance, bowl, double_well, excess, isotropic, normal, quadratic, run, watch

from ebmlab.engine.samplers import ExactSampler, HamiltonianMonteCarlo, NoUTurnSampler
from ebmlab.engine.samplers.leapfrog import hamiltonian, leap
from ebmlab.engine.samplers.nuts import Span

GAUSSIAN = quadratic(torch.linalg.inv(CORRELATED))
N = 8_000


def gradients(sampler, energy, chains, rng):
    """How many leaps each of some transitions of single chains took."""

    counts = []
    for row in chains:
        seen, _ = watch(sampler.stages(energy, sampler.init(energy, row[None]), rng))
        counts.append(len(seen) - 1)
    return counts


@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize(("step_size", "doublings"), [(1.0, 1), (0.7, 3), (0.4, 5)])
def test_that_nuts_leaves_a_correlated_gaussian_invariant(step_size, doublings, temperature, rng):
    sampler = NoUTurnSampler(step_size=step_size, doublings=doublings, temperature=temperature)
    x, _ = run(sampler, GAUSSIAN, normal(N, temperature * CORRELATED, rng), 3, rng)
    assert_covariance(x, temperature * CORRELATED)


@pytest.mark.parametrize(("step_size", "doublings"), [(0.5, 1), (0.6, 4), (0.9, 6)])
def test_that_nuts_leaves_a_double_well_invariant_however_coarse_its_leaps(step_size, doublings, rng):
    start, _ = run(ExactSampler(half_width=4.0, resolution=512), double_well, isotropic(2 * N, 1.0, rng), 1, rng)
    x, info = run(NoUTurnSampler(step_size=step_size, doublings=doublings), double_well, start, 2, rng)
    assert info.accept.mean() < 0.9
    assert excess(x, double_well) < 4


@pytest.mark.parametrize("dim", [1, 3, 8])
def test_that_nuts_settles_on_a_gaussian_in_any_dimension(dim, rng):
    eye = torch.eye(dim, dtype=torch.float64)
    x, _ = run(NoUTurnSampler(step_size=0.5, doublings=4), bowl(1.0), isotropic(3_000, 4.0, rng, dim), 12, rng)
    assert_covariance(x, eye)


def test_that_a_path_of_one_leap_is_drawn_by_the_weights_of_its_ends(rng):
    sampler, x = NoUTurnSampler(step_size=1.2, doublings=1), torch.full((4 * N, 1), 1.0, dtype=torch.float64)
    state = rng.get_state()
    end, info = run(sampler, double_well_on_the_line, x, 1, rng)
    v = torch.randn(x.shape, generator=rng.set_state(state), dtype=torch.float64)
    forwards = torch.rand(len(x), generator=rng, dtype=torch.float64) < 0.5
    start = HamiltonianMonteCarlo().init(double_well_on_the_line, x)
    there, w = leap(double_well_on_the_line, start, v, 1.2 * (2 * forwards.double() - 1)[:, None])
    odds = (hamiltonian(start, v) - hamiltonian(there, w)).exp().clamp(max=1.0)
    torch.testing.assert_close(info.accept, odds)
    moved = (end != x).any(-1)
    assert end[moved].equal(there.x[moved])
    assert abs(moved.double().mean() - odds.mean()) < 4 / math.sqrt(4 * len(x))


def double_well_on_the_line(x):
    return (x.square() - 1).square().sum(-1)


@pytest.mark.parametrize(("step_size", "leaps"), [(0.25, 15), (0.2, 31), (0.1, 63), (0.07, 63)])
def test_that_a_path_on_a_circle_ends_once_it_is_half_a_turn_long(step_size, leaps, rng):
    # In many dimensions x and v are of one length and at right angles, so that every path is a circle. It is doubled
    # until it is longer than π; at 63 leaps of 0.1 the ends do not tell, the path being just over a whole turn long.
    sampler = NoUTurnSampler(step_size=step_size, doublings=10)
    x = torch.randn(2, 20_000, generator=rng, dtype=torch.float64)
    assert gradients(sampler, bowl(1.0), x, rng) == [leaps] * 2


def test_that_a_path_never_has_more_leaps_than_its_doublings_allow(rng):
    counts = gradients(NoUTurnSampler(step_size=1e-3, doublings=4), bowl(1.0), isotropic(5, 1.0, rng), rng)
    assert counts == [15] * 5


def test_that_chains_that_leap_together_stop_where_each_would_alone(rng):
    sampler = NoUTurnSampler(step_size=0.3, doublings=6)
    x = torch.cat([isotropic(20, 1.0, rng), isotropic(20, 1.0, rng) + 20])
    seen, _ = watch(sampler.stages(bowl(1.0), sampler.init(bowl(1.0), x), rng))
    sizes = [len(s.points) for s in seen[:-1]]
    assert sizes[0] == 40
    assert 0 < sizes[-1] < 40
    assert all(s.points.shape == s.origin.shape for s in seen)


def test_that_the_stretch_of_a_straight_path_does_not_turn_and_of_a_circle_does():
    def stretch(angles):
        v = torch.stack([torch.cos(angles), torch.sin(angles)], -1)
        return Span(v[:1], v[-1:], v.sum(0, keepdim=True))

    for degrees, expected in [(0, False), (170, False), (190, True), (355, True), (540, True)]:
        angles = torch.linspace(0, math.radians(degrees), 64, dtype=torch.float64)
        both, turned = stretch(angles[:32]).joined(stretch(angles[32:]))
        torch.testing.assert_close(both.total, stretch(angles).total)
        assert turned.item() == expected


def test_that_a_turn_hidden_from_the_ends_is_seen_across_the_seam():
    angles = torch.linspace(0, math.tau, 64, dtype=torch.float64) * 1.02  # its sum points on from both ends again
    v = torch.stack([torch.cos(angles), torch.sin(angles)], -1)
    whole = v.sum(0)
    assert (whole @ v[0] > 0) == (whole @ v[-1] > 0) == torch.tensor(True)
    halves = [Span(h[:1], h[-1:], h.sum(0, keepdim=True)) for h in (v[:32], v[32:])]
    assert halves[0].joined(halves[1])[1].item()


def test_that_nuts_throws_away_what_has_no_finite_energy(rng):
    def dome(x):  # exp(-E) = 1 - |x|², and NaN beyond the rim
        return -(1 - x.square().sum(-1)).log()

    def pit(x):
        return torch.where(x[..., 0] > 1, -torch.inf, x.square().sum(-1) / 2)

    radius = (1 - torch.rand(N, generator=rng, dtype=torch.float64).sqrt()).sqrt()
    x, info = run(NoUTurnSampler(step_size=0.4, doublings=3), dome, torch.stack([radius, 0 * radius], -1), 4, rng)
    square = x.square().sum(-1)
    assert (square < 1).all()
    assert (info.accept < 1).any()
    assert abs(square.mean() - 1 / 3) < 4 * square.std() / math.sqrt(N)

    x, _ = run(NoUTurnSampler(doublings=4), pit, torch.zeros(500, 2, dtype=torch.float64), 10, rng)
    assert 0.5 < x[:, 0].max() < 1


def test_that_a_chain_of_infinite_energy_moves_away(rng):
    def half(x):
        return torch.where(x[..., 0] > 0, x.square().sum(-1) / 2, torch.inf)

    x, _ = run(NoUTurnSampler(step_size=0.5), half, torch.full((500, 2), -0.1, dtype=torch.float64), 10, rng)
    assert (x[:, 0] > 0).double().mean() > 0.95


def test_that_nuts_breaks_at_the_stability_limit_of_the_leapfrog(rng):
    for factor in (0.9, 1.1):
        sampler = NoUTurnSampler(step_size=factor, doublings=8)
        assert sampler.stability(4.0) == pytest.approx(factor)
        _, info = run(sampler, bowl(4.0), isotropic(200, 0.25, rng), 1, rng)
        assert (info.accept.mean() > 0.3) == (factor < 1)
    assert NoUTurnSampler(adapt=5).stability(4.0) is None
