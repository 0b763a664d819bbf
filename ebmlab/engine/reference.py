"""What the oracle knows of the target before it looks at any model: computed once per target and window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.modes import Basins, basins
from ebmlab.engine.quadrature import PlaneRule, aliasing, rule
from ebmlab.engine.targets.base import Density
from ebmlab.engine.types import Window, Work, chunks, finish
from ebmlab.engine.window import Lattice

TYPICAL = 0.999
"""Share of the mass in the target's typical region: the smallest that holds as much."""

CORE = 1 - 1e-12
"""Share of the mass in the region where scores are compared."""

PROBES = 128
"""Number of points of the target at which the curvature is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A target on the points of a rule, all in float64 on the CPU.

    Arguments:
        density: The target's density.
        plane: The rule.
        log_p: The log density at the rule's points, with shape (n²).
        share: The share of the target's mass that each point stands for, with shape (n²); they add up to 1.
        mass: What the rule finds the density to integrate to; 1 but for the error of the rule.
        entropy: The entropy.
        entropy_error: Its estimated error.
        typical: Whether each point lies in the smallest region that holds 99.9 % of the mass, with shape (n²).
        core: The indices of the points where the score counts, with shape (m).
        score: The target's score there, with shape (m, 2); None where it does not exist.
        why_no_score: Why it does not.
        basins: The modes.
        labels: The basin of each point, with shape (n²).
        mode_masses: The share of the target's mass in each basin, with shape (k).
        probes: Points spread evenly over the target's mass, with shape (128, 2).
    """

    density: Density
    plane: PlaneRule
    log_p: Tensor
    share: Tensor
    mass: float
    entropy: float
    entropy_error: float
    typical: Tensor
    core: Tensor
    score: Tensor | None
    why_no_score: str
    basins: Basins
    labels: Tensor
    mode_masses: Tensor
    probes: Tensor

    @property
    def window(self) -> Window:
        return self.plane.window

    def coarse(self) -> str:
        """Says why the rule cannot resolve the target, empty if it can."""

        if abs(self.mass - 1) < 0.05:
            return ""
        return f"the lattice finds {self.mass:.3g} of the target's mass, not 1; the target is too fine or too far out"


def reference(density: Density, window: Window, n: int = 256) -> Reference:
    """Returns a target's reference on the rule with n points along an axis."""

    return finish(prepare(density, window, n))


def prepare(density: Density, window: Window, n: int = 256) -> Work[Reference]:
    """Computes a target's reference, in pieces."""

    plane = rule(window, n)
    pieces: list[Tensor] = []
    for x in chunks(plane.points):
        pieces.append(density.log_density(x).detach())
        yield 0.5 * len(pieces) * 4096 / len(plane.points)
    log_p = torch.cat(pieces)
    log_terms = log_p + plane.log_weights
    log_mass = torch.logsumexp(log_terms, 0)
    share = torch.exp(log_terms - log_mass)
    surprise = -torch.where(share > 0, log_p, 0.0)
    entropy = (share * surprise).sum()
    order = log_p.argsort(descending=True)
    sums = share[order].cumsum(0)
    yield 0.55

    core = order[: int((sums < CORE).sum()) + 1]
    edged = bool(log_p.isneginf().any())
    score, why = yield from _score(density, plane.points[core], edged)
    found = _modes(density, window)
    labels = found.of(plane.points)
    masses = torch.bincount(labels, share, minlength=len(found.peaks))
    if edged:
        masses = yield from _masses(density, found)
    yield 0.99

    return Reference(
        density=density,
        plane=plane,
        log_p=log_p,
        share=share,
        mass=log_mass.exp().item(),
        entropy=entropy.item(),
        entropy_error=aliasing(plane, share * (surprise - entropy)),
        typical=log_p >= log_p[order[min(int((sums < TYPICAL).sum()), len(order) - 1)]],
        core=core,
        score=score,
        why_no_score=why,
        basins=found,
        labels=labels,
        mode_masses=masses,
        probes=plane.points[_spread(share)],
    )


def _score(density: Density, x: Tensor, edged: bool) -> Work[tuple[Tensor | None, str]]:
    if edged:
        return None, "the target has an edge, where its score does not exist"
    pieces: list[Tensor] = []
    for piece in chunks(x):
        pieces.append(value_and_grad(density.log_density, piece)[1])
        yield 0.55 + 0.35 * len(pieces) * 4096 / max(len(x), 4096)
    score = torch.cat(pieces)
    if not score.isfinite().all():
        return None, "the target's score is not finite everywhere"
    return score, ""


def _modes(density: Density, window: Window) -> Basins:
    left, right, bottom, top = window
    longer = max(right - left, top - bottom)
    columns, rows = (max(2, math.ceil(128 * side / longer)) for side in (right - left, top - bottom))
    lattice = Lattice(window, rows, columns)
    log_p = density.log_density(lattice.points(torch.float64)).detach()
    return basins(log_p.view(rows, columns).numpy(), lattice)


def _masses(density: Density, found: Basins) -> Work[Tensor]:
    """Measures the basins on a finer lattice, for a density with edges, which any lattice resolves slowly."""

    lattice = found.lattice
    fine = Lattice(lattice.window, 3 * lattice.rows, 3 * lattice.columns)
    masses = torch.zeros(len(found.peaks), dtype=torch.float64)
    for x in chunks(fine.points(torch.float64), 8192):
        masses += torch.bincount(found.of(x), density.log_density(x).detach().exp(), minlength=len(masses))
        yield 0.9
    return masses / masses.sum()


def _spread(share: Tensor) -> Tensor:
    """Returns the indices of points at even steps of the cumulative mass."""

    steps = (torch.arange(PROBES, dtype=torch.float64) + 0.5) / PROBES
    return torch.searchsorted(share.cumsum(0), steps).clamp(max=len(share) - 1)
