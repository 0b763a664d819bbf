from __future__ import annotations

import math

import pytest
import torch
from normalisers import gaussian, scene, two_modes

from ebmlab.engine.logz import AIS, sandwich
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.spec import BadInput

THIN = AIS(particles=300, width=3.0, power=1.0, sampler=MetropolisLangevin(step_size=0.03))


def test_that_the_sandwich_closes_rung_by_rung(rng):
    *_, found = sandwich(scene(two_modes(log_z=1.0), exact=True), rng, (5, 20, 80), THIN)
    below, above = ([getattr(s, side) for s in found.slices] for side in ("below", "above"))
    assert below == pytest.approx([-13.6, -4.9, -1.7], abs=1.0)
    assert above == pytest.approx([3.24, 2.68, 2.08], abs=0.4)
    assert below == sorted(below)
    assert above == sorted(above, reverse=True)
    for s in found.slices:
        assert s.below < s.low
        assert s.high < s.above
        assert s.low < 1.0 + 3 * s.low_error
    assert found.slices[-1].low == pytest.approx(1.0, abs=3 * found.slices[-1].low_error)


def test_that_slices_come_as_they_are_done(rng):
    seen = list(sandwich(scene(gaussian(2), exact=True), rng, (2, 4), AIS(particles=8)))
    assert [len(s.slices) for s in seen] == sorted(len(s.slices) for s in seen)
    assert [s.progress for s in seen] == sorted(s.progress for s in seen)
    assert len(seen[-1].slices) == 2
    assert seen[-1].progress == 1.0
    assert len(seen) == 2 * (2 + 4) + 2


def test_that_a_slice_counts_its_evaluations(rng):
    calls, known = [], gaussian(2)
    where = scene(known, exact=True)._replace(energy=lambda x: calls.append(len(x)) or known.energy(x))
    *_, found = sandwich(where, rng, (2, 5), AIS(particles=8))
    assert sum(s.evaluations for s in found.slices) == sum(calls)


def test_that_both_bounds_hold_on_average():
    where, below, above = scene(two_modes(log_z=1.0), exact=True), [], []
    for seed in range(8):
        *_, found = sandwich(where, torch.Generator().manual_seed(seed), (4,), AIS(particles=64, width=4.0))
        below.append(found.slices[0].low)
        above.append(found.slices[0].high)
    low, high = torch.tensor(below), torch.tensor(above)
    assert low.mean() < 1.0 + 2 * low.std() / math.sqrt(8)
    assert high.mean() > 1.0 - 2 * high.std() / math.sqrt(8)


def test_that_a_sandwich_needs_exact_samples(rng):
    with pytest.raises(BadInput, match="exact samples"):
        next(sandwich(scene(gaussian(3)), rng))
