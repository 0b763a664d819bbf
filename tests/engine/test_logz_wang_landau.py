from __future__ import annotations

import math

import pytest
import torch
from normalisers import WINDOW, disc, double_well, gaussian, ring, two_modes

from ebmlab.engine.logz import Scene, WangLandau
from ebmlab.engine.logz.states import Learner, States, Tally, Walkers
from ebmlab.engine.logz.wang_landau import edges, guess
from ebmlab.spec import BadInput

LIKE = torch.zeros(1, dtype=torch.float64)
QUICK = WangLandau(particles=64, steps=600)


def scene(known):
    return Scene(known.energy, LIKE, known.window, known.dim)


@pytest.mark.parametrize("known", [gaussian(1), gaussian(2), ring(), double_well(), two_modes(log_z=5.0), disc()])
def test_that_the_density_of_states_finds_log_z(known, rng):
    *_, found = QUICK.run(scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.25
    assert found.bound is None


def test_that_three_dimensions_take_more_steps(rng):
    known = gaussian(3)
    *_, found = WangLandau(particles=64, steps=1500, width=6.0).run(scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.4


def test_that_one_run_knows_log_z_at_every_temperature(rng):
    # E = |x|²/2 has Z(β) = 2π/β, and over a box Z(0) is its area.
    known = gaussian(2)._replace(energy=lambda x: x.square().sum(-1) / 2)
    states = WangLandau(particles=64, steps=1500, width=8.0).states(scene(known), rng)
    for beta in (0.3, 1.0, 2.0):
        assert states.log_z(beta) == pytest.approx(math.log(2 * math.pi / beta), abs=0.2)
    assert states.log_z(0.0) == pytest.approx(math.log(16.0**2), abs=1e-9)
    slope = (states.log_z(1.01) - states.log_z(0.99)) / 0.02
    assert -slope == pytest.approx(1.0, abs=0.1)  # the mean energy d/2


def test_that_the_states_and_the_walkers_agree_at_temperature_1(rng):
    *_, (found, states) = QUICK.explore(scene(ring()), rng)
    assert states.log_z(1.0) == pytest.approx(found.value, abs=0.01)


def test_that_mass_beyond_the_box_is_called_out(rng):
    *_, found = WangLandau(particles=64, steps=600, width=8.0).run(scene(gaussian(2, 7.0)), rng)
    assert "widen" in found.warning


def test_that_too_few_steps_are_called_out(rng):
    *_, found = WangLandau(particles=8, steps=40).run(scene(gaussian(6)), rng)
    assert "steps" in found.warning


def test_that_an_energy_infinite_everywhere_has_no_states(rng):
    nowhere = gaussian(2)._replace(energy=lambda x: torch.full_like(x[..., 0], math.inf))
    *_, found = QUICK.run(scene(nowhere), rng)
    assert found.value == -math.inf
    with pytest.raises(BadInput, match="finite energy"):
        QUICK.states(scene(nowhere), rng)


def test_that_a_first_guess_of_the_states_of_a_parabola_is_exact_to_a_constant(rng):
    # The volume below a height h is that of a ball, h^(d/2) up to a factor.
    heights = edges(0.0, 30.0, 0.5)
    y = 2 * torch.rand(100_000, 3, generator=rng, dtype=torch.float64) - 1
    bins = torch.bucketize(30 * y.square().sum(-1), heights)
    found = guess(bins, heights, 3)
    shells = (heights**1.5).diff(prepend=torch.zeros(1, dtype=torch.float64)).log()
    inside = heights < 25
    gap = (found[:-1] - shells)[inside]
    assert (gap - gap.mean()).abs().max() < 0.5
    assert gap[:3].std() < 0.3


def test_that_bins_are_even_at_first_and_widen_with_height():
    ladder = edges(-3.0, 100.0, 0.25)
    widths = ladder.diff()
    assert ladder[0] == -2.75
    torch.testing.assert_close(widths[:5], torch.full((5,), 0.25, dtype=torch.float64))
    assert ladder[-1] >= 100
    assert widths[-2] == pytest.approx(0.1 * (ladder[-3] + 3).item())


def test_that_rises_halve_while_the_histogram_is_flat_and_fall_as_1_over_t(rng):
    learner = Learner(torch.zeros(4, dtype=torch.float64))
    for _ in range(2000):
        learner.visit(torch.arange(4).repeat(4))
    before = learner.log_g.clone()
    learner.visit(torch.arange(4).repeat(4))
    assert learner.late
    torch.testing.assert_close(
        learner.log_g - before, torch.full((4,), 1 / 2000, dtype=torch.float64), rtol=1e-3, atol=0
    )


def test_that_the_tally_undoes_the_weights_that_the_walkers_were_under():
    # Two bins of a box of volume 8: energies 0 and 1 with shares 1/4 and 3/4, visited alike under g = (1, 3).
    tally = Tally(torch.tensor([1.0, 3.0], dtype=torch.float64).log(), 2)
    energy = torch.tensor([0.0, 1.0], dtype=torch.float64)
    for _ in range(5):
        tally.visit(Walkers(torch.zeros(2, 1), energy, torch.tensor([0, 1])))
    wanted = math.log(8 * (0.25 + 0.75 * math.exp(-1)))
    assert tally.estimate(math.log(8)).value == pytest.approx(wanted, abs=1e-12)
    states = tally.states(math.log(8))
    assert isinstance(states, States)
    assert states.log_z(1.0) == pytest.approx(wanted, abs=1e-12)
    assert states.log_z(2.0) == pytest.approx(math.log(8 * (0.25 + 0.75 * math.exp(-2))), abs=1e-12)


def test_that_the_window_gives_the_box(rng):
    first = next(QUICK.run(Scene(gaussian(2).energy, LIKE, WINDOW), rng))
    assert first.progress == 0
