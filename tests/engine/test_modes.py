from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from normalisers import WINDOW

from ebmlab.engine.modes import basins
from ebmlab.engine.targets import TARGETS
from ebmlab.engine.window import Lattice

LATTICE = Lattice(WINDOW, 128, 128)


def find(log_density):
    return basins(log_density(LATTICE.points(torch.float64)).view(128, 128).numpy(), LATTICE)


@pytest.mark.parametrize(
    ("kind", "count"), [("gaussian", 1), ("two-modes", 2), ("eight-gaussians", 8), ("ring", 1), ("checkerboard", 8)]
)
def test_that_a_target_has_its_number_of_modes(kind, count):
    found = find(TARGETS[kind]().build(None, WINDOW).log_density)
    assert len(found.peaks) == len(found.masses) == count
    assert found.masses.sum() == pytest.approx(1.0)


def test_that_the_modes_of_a_mixture_have_its_weights_and_places():
    found = find(TARGETS["two-modes"]().build(None, WINDOW).log_density)
    np.testing.assert_allclose(found.masses, [0.8, 0.2], atol=1e-6)
    np.testing.assert_allclose(found.peaks, [[-3, 0], [3, 0]], atol=0.1)


def ridge(depth):
    """Two peaks of a Gaussian that a saddle of the given depth parts."""

    def log_p(x):
        return -depth * (1 - (x[:, 0] / 2) ** 2) ** 2 - x[:, 1] ** 2

    return log_p


@pytest.mark.parametrize(("depth", "count"), [(0.6, 1), (0.8, 2)])
def test_that_a_saddle_parts_two_modes_only_when_deeper_than_a_factor_two(depth, count):
    assert len(find(ridge(depth)).peaks) == count


def test_that_a_mode_below_one_per_cent_is_dropped_and_its_mass_is_kept():
    def log_p(x):
        far = [-((x - x.new_tensor(c)) ** 2).sum(-1) / (2 * 0.2**2) for c in ((-2.0, 0.0), (3.0, 3.0))]
        return torch.logaddexp(math.log(0.995) + far[0], math.log(0.005) + far[1])

    found = find(log_p)
    assert len(found.peaks) == 1
    assert found.masses[0] == pytest.approx(1.0)


def test_that_every_point_of_the_plane_belongs_to_a_basin():
    found = find(TARGETS["checkerboard"]().build(None, WINDOW).log_density)
    x = torch.tensor([[-100.0, -100.0], [0.5, -0.5], [100.0, 3.0]], dtype=torch.float64)
    labels = found.of(x)
    assert ((labels >= 0) & (labels < len(found.peaks))).all()
    for i, peak in enumerate(found.peaks):
        assert found.of(torch.from_numpy(peak)[None]).item() == i


def test_that_a_flat_density_is_one_mode_in_the_middle():
    found = find(lambda x: torch.zeros(len(x)))
    assert len(found.peaks) == 1
    assert np.abs(found.peaks[0]).max() < 0.1
