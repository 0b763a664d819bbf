from __future__ import annotations

import math

import pytest
import torch
from normalisers import gaussian, last, many, ring, scene, two_modes

from ebmlab.engine.logz import Jarzynski
from ebmlab.engine.logz.jarzynski import alpha


@pytest.mark.parametrize("step_size", [0.02, 0.3, 0.6])
def test_that_the_weights_are_unbiased_in_z_at_any_step_size(step_size):
    known = gaussian(2)
    log_z, _ = many(Jarzynski(particles=32, moves=8, step_size=step_size, width=2.0, power=1.5), scene(known), 60)
    z = (log_z - known.log_z).exp()
    assert abs(z.mean() - 1) < 4 * z.std() / math.sqrt(60)
    assert z.std() < 1


def test_that_an_estimate_half_way_is_unbiased_too():
    known, z = gaussian(2), []
    for seed in range(60):
        run = Jarzynski(particles=64, moves=6, step_size=0.1, width=2.0).run(
            scene(known), torch.Generator().manual_seed(seed)
        )
        z.append(math.exp([f.value for f in run][2] - known.log_z))
    z = torch.tensor(z)
    assert abs(z.mean() - 1) < 4 * z.std() / math.sqrt(60)


def test_that_the_weight_is_the_ratio_of_the_way_back_to_the_way_there(rng):
    # e^A = exp(-U'(y)) N(x; y - h grad U'(y), 2h) / (exp(-U(x)) N(y; x - h grad U(x), 2h)), with U = |x|²/2, U' = |x|².
    h, x, y = 0.3, *torch.randn(2, 5, 2, generator=rng, dtype=torch.float64)
    there = (y - x + h * x).square().sum(-1) / (4 * h)
    back = (x - y + 2 * h * y).square().sum(-1) / (4 * h)
    ratio = -y.square().sum(-1) - back + x.square().sum(-1) / 2 + there
    gain = alpha(x.square().sum(-1) / 2, x, y - x, h) - alpha(y.square().sum(-1), 2 * y, x - y, h)
    torch.testing.assert_close(gain, ratio)


@pytest.mark.parametrize("known", [gaussian(2), two_modes(log_z=5.0), ring(), gaussian(4)])
def test_that_jarzynski_finds_log_z(known, rng):
    found = last(Jarzynski(width=4.0), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.3
    assert found.bound == "lower"


def test_that_a_slower_pace_loses_less():
    spread = []
    for moves in (2, 40):
        log_z, _ = many(Jarzynski(particles=32, moves=moves, step_size=0.2, width=3.0), scene(gaussian(2)), 14)
        spread.append(log_z.std())
    assert spread[0] > 1.5 * spread[1]


def test_that_particles_that_fly_off_weigh_nothing_and_are_called_out(rng):
    found = last(Jarzynski(step_size=10.0, moves=50), scene(gaussian(2, 0.1)), rng)
    assert found.value < gaussian(2, 0.1).log_z
    assert found.warning != ""
    lost = last(Jarzynski(step_size=10.0, moves=50, particles=8), scene(two_modes(2))._replace(energy=quartic), rng)
    assert lost.value == -math.inf
    assert lost.warning == "no weight is a number above 0"


def quartic(x):
    return 100 * x.square().sum(-1).square()
