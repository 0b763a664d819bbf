from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import torch

from ebmlab.engine.energies.base import EnergySpec, count
from ebmlab.spec import BadInput, knobs

E = TypeVar("E", bound=EnergySpec)

SLACK = 0.1
"""How far from the wanted number of parameters, relative to it, still counts as the same."""


def matched(spec: E, wanted: int, dim: int = 2) -> E:
    """Returns the same kind of energy at the size whose number of parameters is nearest to a wanted one.

    Kinds can then be compared fairly. The number never falls as the size grows, so few networks are built to find it.

    Arguments:
        spec: The energy; all of its knobs but the size stay.
        wanted: How many parameters it should have.
        dim: The dimension of the points.

    Raises:
        BadInput: If the kind has no size, or none within the knob's bounds is within a tenth of the wanted number.
    """

    if not spec.size:
        raise BadInput(f"{spec.kind} has no knob that its number of parameters grows with; choose another energy")
    low, high = _bounds(spec)
    while 2 * low < high and _parameters(spec, 2 * low, dim) < wanted:
        low *= 2
    high = min(high, 2 * low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _parameters(spec, middle, dim) < wanted else (low, middle)
    found, nearest = min(
        ((_parameters(spec, size, dim), size) for size in (low, high)), key=lambda f: abs(f[0] - wanted)
    )
    if abs(found - wanted) > SLACK * wanted:
        raise BadInput(f"{spec.kind} comes no nearer to {wanted} parameters than {found}; choose another number")
    return _resized(spec, nearest)


def _parameters(spec: EnergySpec, size: int, dim: int) -> int:
    return count(_resized(spec, size).build(torch.Generator().manual_seed(0), dim))


def _resized(spec: E, size: int) -> E:
    return replace(spec, **{spec.size: size})


def _bounds(spec: EnergySpec) -> tuple[int, int]:
    low, high = next((k.low, k.high) for name, _, k in knobs(spec) if name == spec.size)
    if low is None or high is None:
        raise ValueError(f"{spec.kind}: the knob {spec.size} has no bounds to search within")
    return int(low), int(high)
