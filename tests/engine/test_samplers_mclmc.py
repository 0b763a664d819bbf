from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, assert_covariance, bowl, double_well, excess, isotropic, normal, quadratic, run
from torch.nn.functional import normalize

from ebmlab.engine.samplers import ExactSampler, MicrocanonicalLangevin
from ebmlab.spec import BadInput

GAUSSIAN = quadratic(torch.linalg.inv(CORRELATED))
N = 6_000


def directions(n, rng, dim=2):
    return normalize(torch.randn(n, dim, generator=rng, dtype=torch.float64), dim=-1)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_that_a_turn_solves_its_equation(dim, rng):
    grad, u = 5 * isotropic(50, 1.0, rng, dim), directions(50, rng, dim)

    def turn(t, start=u):
        return MicrocanonicalLangevin(step_size=2 * t, temperature=0.7).turn(grad, start)

    t, h = 0.3, 1e-4
    slope = (turn(t + h)[0] - turn(t - h)[0]) / (2 * h)
    gained = (turn(t + h)[1] - turn(t - h)[1]) / (2 * h)
    now, _ = turn(t)
    force = -grad / ((dim - 1) * 0.7)
    torch.testing.assert_close(slope, force - (force * now).sum(-1, keepdim=True) * now, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gained, -(grad * now).sum(-1) / 0.7, rtol=1e-5, atol=1e-6)

    (half, first), (twice, total) = turn(t / 2), turn(t)
    again, second = turn(t / 2, half)
    torch.testing.assert_close(again, twice)
    torch.testing.assert_close(first + second, total)


def test_that_a_leap_retraces_its_path_when_the_direction_turns_round(rng):
    sampler = MicrocanonicalLangevin(step_size=0.1)
    start, u = sampler.init(double_well, isotropic(100, 0.2, rng)), directions(100, rng)
    there, w, errors = start, u, []
    for sign in (1, -1):
        w, total = sign * w, torch.zeros(100, dtype=torch.float64)
        for _ in range(20):
            there, w, error = sampler.leap(double_well, there, w)
            total += error
        errors.append(total)
    assert (there.x - start.x).abs().max() < 1e-10
    assert (w + u).abs().max() < 1e-10
    torch.testing.assert_close(errors[0], -errors[1], rtol=1e-8, atol=1e-10)


def test_that_the_error_is_what_the_volume_and_the_density_do_not_share(rng):
    sampler, x = MicrocanonicalLangevin(step_size=0.5, temperature=0.8), isotropic(20, 1.0, rng)
    angle = torch.rand(20, 1, generator=rng, dtype=torch.float64) * math.tau

    def leap(x, angle):
        chains, u, error = sampler.leap(GAUSSIAN, sampler.init(GAUSSIAN, x), torch.cat([angle.cos(), angle.sin()], -1))
        return torch.cat([chains.x, torch.atan2(u[:, 1:], u[:, :1])], -1), chains.energy, error

    h, columns = 1e-5, []
    for i in range(3):
        shift = h * torch.eye(3, dtype=torch.float64)[i]
        far, near = (leap(x + s * shift[:2], angle + s * shift[2:])[0] for s in (1, -1))
        step = far - near
        step[:, 2] = torch.remainder(step[:, 2] + math.pi, math.tau) - math.pi
        columns.append(step / (2 * h))
    volume = torch.linalg.det(torch.stack(columns, -1)).abs().log()
    _, energy, error = leap(x, angle)
    torch.testing.assert_close(error, (energy - GAUSSIAN(x)) / 0.8 - volume, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_that_the_mean_of_exp_minus_the_error_is_one(dim, rng):
    sampler, u = MicrocanonicalLangevin(step_size=1.0), directions(N, rng, dim)
    chains, total = sampler.init(bowl(1.0), isotropic(N, 1.0, rng, dim)), torch.zeros(N, dtype=torch.float64)
    for _ in range(5):
        chains, u, error = sampler.leap(bowl(1.0), chains, u)
        total += error
    ratio = (-total).exp()
    assert ratio.std() > 5e-3
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / math.sqrt(N)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_that_the_error_of_a_leap_falls_with_the_cube_of_the_step(dim, rng):
    x, u = isotropic(N, 1.0, rng, dim), directions(N, rng, dim)
    errors = []
    for step_size in (0.08, 0.04):
        sampler = MicrocanonicalLangevin(step_size=step_size)
        _, _, error = sampler.leap(bowl(1.0), sampler.init(bowl(1.0), x), u)
        errors.append(error.abs().median().item())
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.1)


@pytest.mark.parametrize("temperature", [1.0, 0.4])
@pytest.mark.parametrize("dim", [2, 3, 8])
def test_that_short_steps_settle_on_a_gaussian(dim, temperature, rng):
    covariance = temperature * torch.eye(dim, dtype=torch.float64)
    sampler = MicrocanonicalLangevin(step_size=0.1 * math.sqrt(temperature), temperature=temperature)
    x, _ = run(sampler, bowl(1.0), normal(N, covariance, rng), 60, rng)
    assert_covariance(x, covariance)


def test_that_short_steps_settle_on_a_correlated_gaussian_and_on_a_double_well(rng):
    sampler = MicrocanonicalLangevin(step_size=0.1)
    x, _ = run(sampler, GAUSSIAN, normal(N, CORRELATED, rng), 60, rng)
    assert_covariance(x, CORRELATED)
    start, _ = run(ExactSampler(half_width=4.0, resolution=512), double_well, isotropic(N, 1.0, rng), 1, rng)
    x, _ = run(sampler, double_well, start, 60, rng)
    assert excess(x, double_well) < 4


def test_that_the_variance_of_a_round_gaussian_is_too_large_by_the_square_of_the_step(rng):
    sampler = MicrocanonicalLangevin(step_size=1.2)
    chains, means = sampler.init(bowl(1.0), isotropic(N, 1.0, rng)), []
    for _ in range(60):
        chains, _ = sampler.step(bowl(1.0), chains, rng)
        means.append(chains.x.square().mean())
    assert torch.stack(means[20:]).mean().item() == pytest.approx(1 + 0.075 * 1.2**2, abs=0.02)
    assert not sampler.invariant
    assert "bias" in sampler.caution()


@pytest.mark.parametrize("dim", [2, 8])
def test_that_a_free_direction_forgets_itself_over_the_length(dim, rng):
    sampler = MicrocanonicalLangevin(step_size=0.05, length=1.5)
    chains = sampler.init(bowl(0.0), torch.zeros(N, dim, dtype=torch.float64))
    chains, _ = sampler.step(bowl(0.0), chains, rng)
    start = chains.extra
    for _ in range(30):  # one length
        chains, _ = sampler.step(bowl(0.0), chains, rng)
    # Each move turns by ν on d - 1 of d axes, so the direction decays at the rate (d - 1) / (d L).
    kept = (start * chains.extra).sum(-1)
    assert kept.mean().item() == pytest.approx(math.exp(-(dim - 1) / dim), abs=0.03)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_that_the_speed_is_one_however_steep_the_force(dtype, rng):
    sampler = MicrocanonicalLangevin(step_size=10.0)
    e = torch.tensor([[1.0, 0.0]], dtype=dtype)
    for grad in (0.0, 1e-3, 1.0, 1e3, 1e8):
        for u in (e, -e, torch.tensor([[0.6, 0.8]], dtype=dtype)):
            turned, _ = sampler.turn(grad * e, u)
            assert turned.norm(dim=-1).item() == pytest.approx(1.0, abs=1e-6)
    chains = sampler.init(bowl(50.0), torch.randn(100, 2, generator=rng, dtype=dtype))
    for _ in range(50):
        before = chains.x
        chains, _ = sampler.step(bowl(50.0), chains, rng)
        torch.testing.assert_close((chains.x - before).norm(dim=-1), torch.full((100,), 10.0, dtype=dtype))


def test_that_a_line_is_refused():
    with pytest.raises(BadInput, match="one dimension"):
        MicrocanonicalLangevin().init(bowl(1.0), torch.zeros(4, 1))
