"""Samplers that use other temperatures than the target's: parallel tempering, annealing, descent."""

from __future__ import annotations

import math

import pytest
import torch
from laws import (
    CORRELATED,
    assert_covariance,
    bowl,
    double_well,
    excess,
    imbalance,
    isotropic,
    moments,
    normal,
    quadratic,
    run,
    watch,
)
from normalisers import two_modes

from ebmlab.engine.samplers import AnnealedLangevin, Chains, ExactSampler, GradientDescent, ParallelTempering
from ebmlab.engine.samplers.parallel_tempering import Ladder, exchange, exchange_chance
from ebmlab.spec import BadInput

GAUSSIAN = quadratic(torch.linalg.inv(CORRELATED))
MODES = two_modes().energy


def at_rest(sampler, energy, n, rng, covariance=CORRELATED):
    """Chains on a Gaussian whose every replica has the covariance of its own temperature."""

    start = sampler.init(energy, torch.zeros(n, len(covariance), dtype=torch.float64))
    x = torch.stack([normal(n, t * covariance, rng) for t in sampler.ladder(start.x)])
    return sampler.refresh(energy, start._replace(x=x[0], extra=start.extra._replace(x=x)))


def left(x):
    return (x[:, 0] < 0).double().mean().item()


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_that_every_replica_keeps_the_gaussian_of_its_own_temperature(temperature, rng):
    sampler = ParallelTempering(step_size=0.3, replicas=3, hottest=4 * temperature, temperature=temperature)
    assert sampler.temperature_sampled() == temperature
    chains = at_rest(sampler, GAUSSIAN, 40_000, rng)
    for _ in range(4):
        chains, _ = sampler.step(GAUSSIAN, chains, rng)
    for x, factor in zip(chains.extra.x, (1, 2, 4), strict=True):
        assert_covariance(x, factor * temperature * CORRELATED)
    assert chains.x.equal(chains.extra.x[0])


@pytest.mark.parametrize(("ratio", "rate"), [(1.5, 0.8), (2.0, 0.667), (4.0, 0.4)])
def test_that_neighbours_on_a_gaussian_exchange_at_the_closed_form_s_rate(ratio, rate, rng):
    assert 2 / (1 + ratio) == pytest.approx(rate, abs=5e-4)
    sampler = ParallelTempering(replicas=4, hottest=ratio**3)
    chains = at_rest(sampler, GAUSSIAN, 20_000, rng)
    _, info = sampler.step(GAUSSIAN, chains, rng)
    assert info.swaps.shape == (3,)
    assert (info.swaps - 2 / (1 + ratio)).abs().max() < 0.012


def test_that_parallel_tempering_passes_chi_square(rng):
    sampler = ParallelTempering(step_size=0.15, replicas=3, hottest=4.0)
    start = isotropic(10_000, 0.3, rng)
    assert excess(start, double_well) > 20
    x, _ = run(sampler, double_well, start, 25, rng)
    assert excess(x, double_well) < 4


def test_that_replicas_that_start_in_one_place_disturb_the_coldest_until_they_have_spread(rng):
    sampler = ParallelTempering(step_size=0.3, replicas=3, hottest=4.0)
    assert not sampler.invariant
    chains, shrunk = sampler.init(GAUSSIAN, normal(10_000, CORRELATED, rng)), []
    for _ in range(15):
        chains, _ = sampler.step(GAUSSIAN, chains, rng)
        shrunk.append(moments(chains.x).trace().item() / CORRELATED.trace().item())
    assert shrunk[1] < 0.95
    assert shrunk[-1] == pytest.approx(1.0, abs=0.04)


def test_that_an_exchange_balances_there_and_back(rng):
    sampler = ParallelTempering(replicas=2, hottest=3.0)
    n, tau = 50_000, [1.0, 3.0]
    zeros = torch.zeros(n, 2, dtype=torch.float64)
    cold, hot = (
        run(ExactSampler(half_width=8.0, resolution=512, temperature=t), double_well, zeros, 1, rng)[0] for t in tau
    )
    x = torch.stack([cold, hot])
    energy = double_well(x)
    ladder = Ladder(x, energy, torch.zeros_like(x), torch.zeros_like(energy), zeros[:, 0], 0)
    moved = exchange(ladder, exchange_chance(energy, sampler.ladder(x)), 0, rng)
    assert 0.2 < (moved.x[0] != cold).any(-1).double().mean() < 0.9
    assert moved.energy.equal(double_well(moved.x))
    assert moved.x.sum(0).equal(x.sum(0))
    assert abs(imbalance(cold, moved.x[0])) < 4
    assert excess(moved.x[0], double_well) < 4


def test_that_odd_and_even_pairs_take_turns(rng):
    x = torch.arange(5.0).view(5, 1, 1).expand(5, 3, 1)
    ladder = Ladder(x, x[..., 0], x, torch.zeros(5, 3), torch.zeros(3), 0)
    always = torch.ones(4, 3)
    assert exchange(ladder, always, 0, rng).x[:, 0, 0].tolist() == [1, 0, 3, 2, 4]
    assert exchange(ladder, always, 1, rng).x[:, 0, 0].tolist() == [0, 2, 1, 4, 3]
    assert exchange(ladder, 0 * always, 1, rng).x.equal(x)


@pytest.mark.parametrize("ratio", [1.0001, 3.0])
def test_that_round_trips_come_at_the_rate_of_the_theory(ratio, rng):
    k, n, rounds = 4, 200, 400
    tau = ratio ** torch.arange(k, dtype=torch.float64)
    none = torch.zeros(k, n, dtype=torch.float64)
    heading = none.clone()
    heading[0] = 1
    ladder = Ladder(none.unsqueeze(-1), none, none.unsqueeze(-1), heading, none[0], 0)
    for i in range(rounds):  # the energies of a Gaussian in the plane are exponential, here fresh in every round
        fresh = -tau.unsqueeze(-1) * torch.rand(k, n, generator=rng, dtype=torch.float64).log()
        ladder = exchange(ladder._replace(energy=fresh), exchange_chance(fresh, tau), i % 2, rng)
    rejected = 1 - 2 / (1 + ratio)
    theory = 1 / (2 + 2 * (k - 1) * rejected / (1 - rejected))
    assert ladder.trips.mean().item() / rounds == pytest.approx(theory, rel=0.05)


def test_that_tempering_finds_the_weights_of_modes_that_the_coldest_replica_cannot_cross(rng):
    start = torch.randn(300, 2, generator=rng, dtype=torch.float64) / 2 + torch.tensor([3.0, 0.0])
    tempered = ParallelTempering(step_size=0.05, replicas=6, hottest=20.0)
    chains, shares = tempered.init(MODES, start), []
    for _ in range(300):
        chains, _ = tempered.step(MODES, chains, rng)
        shares.append(left(chains.x))
    assert sum(shares[200:]) / 100 == pytest.approx(0.8, abs=0.04)
    barely = ParallelTempering(step_size=0.05, replicas=2, hottest=1.001)
    assert left(run(barely, MODES, start, 50, rng)[0]) == 0


def test_that_replicas_live_on_when_the_energy_changes(rng):
    sampler = ParallelTempering(replicas=3)
    chains, _ = sampler.step(bowl(1.0), sampler.init(bowl(1.0), isotropic(20, 1.0, rng)), rng)
    after = sampler.refresh(bowl(3.0), chains)
    assert after.x.equal(chains.x)
    assert after.extra.x.equal(chains.extra.x)
    assert after.extra.moves == 1
    torch.testing.assert_close(after.extra.energy, bowl(3.0)(chains.extra.x))
    torch.testing.assert_close(after.extra.grad, 3 * chains.extra.x)
    torch.testing.assert_close(after.energy, bowl(3.0)(after.x))
    moved = sampler.refresh(bowl(3.0), chains._replace(x=chains.x + 1))
    torch.testing.assert_close(moved.extra.x[0], chains.x + 1)


def test_that_exchanges_wait_for_as_many_moves_as_asked(rng):
    sampler = ParallelTempering(every=3)
    chains, names = sampler.init(bowl(1.0), isotropic(9, 1.0, rng)), []
    for _ in range(6):
        seen, (chains, info) = watch(sampler.stages(bowl(1.0), chains, rng))
        names.append(seen[-1].name)
        assert info.swaps.shape == (4,)
    assert names == ["accepted", "accepted", "swap"] * 2


def test_that_a_replica_with_a_finite_energy_takes_the_place_of_one_without(rng):
    energy = torch.tensor([[torch.inf, torch.inf, 0.0, torch.nan], [1.0, torch.inf, torch.inf, 0.0]])
    assert exchange_chance(energy, torch.tensor([1.0, 2.0])).tolist() == [[1.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize("dim", [1, 3, 8])
def test_that_a_ladder_of_replicas_stands_in_any_dimension(dim, rng):
    sampler = ParallelTempering(step_size=0.2, replicas=3, hottest=2.0)
    ball = torch.eye(dim, dtype=torch.float64)
    chains = at_rest(sampler, bowl(1.0), 20_000, rng, ball)
    for _ in range(3):
        chains, _ = sampler.step(bowl(1.0), chains, rng)
    assert_covariance(chains.x, ball)


@pytest.mark.parametrize("kind", [ParallelTempering, AnnealedLangevin])
def test_that_a_ladder_must_end_above_its_foot(kind):
    with pytest.raises(BadInput, match="above") as caught:
        kind(hottest=2.0, temperature=2.0)
    assert caught.value.key == "hottest"


def test_that_one_replica_is_refused():
    with pytest.raises(BadInput, match="from 2"):
        ParallelTempering(replicas=1)


def test_that_annealing_cools_level_by_level_and_then_stays(rng):
    sampler = AnnealedLangevin(hottest=8.0, levels=4, steps=2)
    assert [sampler.temperature_after(i) for i in range(9)] == pytest.approx([8, 8, 4, 4, 2, 2, 1, 1, 1])
    chains = sampler.init(bowl(1.0), torch.zeros(20_000, 1, dtype=torch.float64))
    variance = 0.0
    for i in range(10):
        chains, _ = sampler.step(bowl(1.0), chains, rng)
        variance = (1 - 0.02) ** 2 * variance + 0.04 * sampler.temperature_after(i)
        assert abs(moments(chains.x).item() / variance - 1) < 5 * math.sqrt(2 / 20_000)
    assert sampler.refresh(bowl(2.0), chains).extra == 10
    assert sampler.temperature_sampled() == 1.0
    assert sampler.stability(50.0) == pytest.approx(0.5)


def test_that_annealing_moves_the_weights_of_modes_as_far_as_they_freeze_and_langevin_not_at_all(rng):
    def modes(x):  # 0.8 N((-2, 0), I/4) + 0.2 N((2, 0), I/4)
        return 2 * (x.square().sum(-1) + 4) - torch.logaddexp(
            math.log(0.8) - 8 * x[..., 0], math.log(0.2) + 8 * x[..., 0]
        )

    start = torch.randn(1000, 2, generator=rng, dtype=torch.float64) / 2
    start[:, 0] += 2 * torch.where(torch.arange(1000) < 500, -1, 1)
    plain = AnnealedLangevin(step_size=0.05, hottest=1.001, levels=2, steps=1)
    cooled = AnnealedLangevin(step_size=0.05, hottest=10.0, levels=20, steps=20)
    assert left(run(plain, modes, start, 200, rng)[0]) == pytest.approx(0.5, abs=0.02)
    frozen = {t: 1 / (1 + 0.25 ** (1 / t)) for t in (5, 1.5)}
    assert frozen[5] < left(run(cooled, modes, start, 420, rng)[0]) < frozen[1.5]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_that_descent_ends_in_the_minimum_of_its_basin(momentum, rng):
    sampler = GradientDescent(step_size=0.03, momentum=momentum)
    assert sampler.temperature_sampled() == 0.0
    start = isotropic(200, 0.2, rng)
    x, info = run(sampler, double_well, start, 500, rng)
    torch.testing.assert_close(x.abs(), torch.tensor([1.0, 0.0], dtype=torch.float64).expand(200, 2), atol=1e-5, rtol=0)
    assert info.accept.eq(1).all()
    if momentum == 0:
        assert x[:, 0].sign().equal(start[:, 0].sign())


def test_that_descent_has_the_closed_form_of_a_quadratic(rng):
    start = isotropic(50, 1.0, rng)
    x, _ = run(GradientDescent(step_size=0.1), bowl(3.0), start, 7, rng)
    torch.testing.assert_close(x, 0.7**7 * start)
    before, now = start, 0.7 * start
    for _ in range(6):
        ahead = now + 0.5 * (now - before)
        before, now = now, ahead - 0.1 * 3 * ahead
    torch.testing.assert_close(run(GradientDescent(step_size=0.1, momentum=0.5), bowl(3.0), start, 7, rng)[0], now)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_that_descent_breaks_where_it_says(momentum, factor, rng):
    limit = 2 * (1 + momentum) / (1 + 2 * momentum)
    sampler = GradientDescent(step_size=factor * limit / 4, momentum=momentum)
    assert sampler.stability(4.0) == pytest.approx(factor)
    x, _ = run(sampler, bowl(4.0), isotropic(20, 1.0, rng), 800, rng)
    assert (x.abs().max() < 1) == (factor < 1)


def test_that_descent_keeps_its_momentum_when_the_energy_changes(rng):
    sampler = GradientDescent(momentum=0.9)
    chains, _ = sampler.step(bowl(1.0), sampler.init(bowl(1.0), isotropic(9, 1.0, rng)), rng)
    assert isinstance(chains, Chains)
    assert sampler.refresh(bowl(2.0), chains).extra.equal(chains.extra)
    assert chains.extra.abs().min() > 0
