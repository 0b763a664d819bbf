from __future__ import annotations

import math

import pytest
import torch
from normalisers import WINDOW, disc, double_well, gaussian, ring, two_modes

from ebmlab.engine.logz import NestedSampling, Scene
from ebmlab.engine.logz.nested import Climb, Copies, Prior

LIKE = torch.zeros(1, dtype=torch.float64)


def nested(known, seed=0, **knobs):
    method = NestedSampling(**{"particles": 64, **knobs})
    *_, found = method.run(Scene(known.energy, LIKE, known.window, known.dim), torch.Generator().manual_seed(seed))
    return found


@pytest.mark.parametrize("prior", ["normal", "box"])
@pytest.mark.parametrize("known", [gaussian(1), gaussian(2), ring(), double_well(), two_modes(log_z=5.0)])
def test_that_nested_sampling_finds_log_z_in_the_plane(known, prior):
    found = nested(known, prior=prior)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.6
    assert found.warning == ""


@pytest.mark.parametrize("dim", [4, 6])
def test_that_it_climbs_in_several_dimensions(dim):
    known = gaussian(dim)
    found = nested(known, width=2.0, particles=48, moves=2)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.6


def test_that_the_estimate_is_unbiased_and_its_error_that_of_many_runs():
    known = gaussian(2)
    found = [nested(known, seed, particles=16, width=3.0, moves=2) for seed in range(30)]
    z = torch.tensor([math.exp(f.value - known.log_z) for f in found], dtype=torch.float64)
    gaps = torch.tensor([(f.value - known.log_z) / f.stderr for f in found], dtype=torch.float64)
    assert abs(z.mean() - 1) < 4 * z.std() / math.sqrt(30)
    assert 0.7 < gaps.square().mean().sqrt() < 1.4


def test_that_the_error_is_the_root_of_the_information_over_the_live_points():
    # H = KL(N(0, I), N(0, σ²I)) = d (log σ - 1/2 + 1/2σ²); half of n at a time costs a factor 1/(2 log 2) in n.
    width = 6.0
    known = gaussian(2)._replace(energy=lambda x: x.square().sum(-1) / 2)
    information = 2 * (math.log(width) - 0.5 + 0.5 / width**2)
    errors = [nested(known, seed, width=width, moves=1).stderr for seed in range(3)]
    assert sum(errors) / 3 == pytest.approx(math.sqrt(information / 64 / math.log(2)), rel=0.25)


@pytest.mark.parametrize("prior", ["normal", "box"])
def test_that_what_lies_behind_a_jump_dies_at_once(prior):
    found = nested(disc(), prior=prior, width=4.0)
    assert abs(found.value - disc().log_z) < 4 * found.stderr
    assert 0.05 < found.stderr < 0.5


def test_that_mass_beyond_the_box_is_called_out():
    assert "widen" in nested(gaussian(2, 7.0), prior="box", width=8.0).warning


def test_that_a_climb_without_end_is_given_up():
    runaway = gaussian(2)._replace(energy=lambda x: -x.square().sum(-1))
    found = nested(runaway, particles=16, moves=1)
    assert "no end" in found.warning
    assert found.progress == 1


def test_that_an_energy_infinite_everywhere_has_no_mass():
    found = nested(gaussian(2)._replace(energy=lambda x: torch.full_like(x[..., 0], math.inf)))
    assert found.value == -math.inf
    assert found.warning


@pytest.mark.parametrize("box", [False, True])
def test_that_moves_leave_the_prior_above_a_level_as_it_is(box, rng):
    # Above the level lies y₀ > 0.5: the law of y₀ there is a normal or an even one, cut off, and y₁ is free.
    prior = Prior(lambda x: -x[..., 0], torch.zeros(2, dtype=torch.float64), 1.0, box)
    prior = prior._replace(energy=lambda x: -prior_slope(x, box))
    y = prior.sample(20_000, rng)
    y = y[y[:, 0] > 0.5][:4000]
    live = Climb(y, prior.log_likelihood(y), torch.zeros(0, 4, dtype=torch.float64), 0.0, 0)
    level = prior.log_likelihood(torch.tensor([[0.5, 0.0]], dtype=torch.float64)).item()
    copies = Copies(live, len(y), rng)
    for i in range(4):
        copies.move(prior, level, i, rng)
    assert (copies.y[:, 0] > 0.5).all()
    for i in range(2):
        gap = copies.y[:, i].mean() - y[:, i].mean()
        assert abs(gap) < 4 * y[:, i].std() * math.sqrt(3 / len(y))
        assert copies.y[:, i].std().item() == pytest.approx(y[:, i].std().item(), rel=0.06)


def prior_slope(x, box):
    """What makes the likelihood over the prior exp(x₀)."""

    return x[..., 0] - (0.0 if box else x.square().sum(-1) / 2)


def test_that_the_window_is_where_the_prior_comes_from(rng):
    method = NestedSampling(particles=16, moves=1)
    first = next(method.run(Scene(gaussian(2).energy, LIKE, WINDOW), rng))
    assert first.evaluations == 16
    assert first.progress < 0.5
