from __future__ import annotations

import torch
from torch import Tensor

from ebmlab.engine.types import Stage
from ebmlab.session.snapshot import Ways, frozen

FEW = 48
"""Particles whose ways are shown: of more the screen is a thicket."""

MOST = 200 * FEW
"""Lines that are kept; a way that is longer loses its beginning."""


class Course:
    """The ways that a few particles have gone since their transition began.

    Samplers tell no names of particles in their stages, and some leave out those that have come to rest. So a line
    belongs to the particle that has been where it begins.

    Arguments:
        x: Where the particles are, with shape (n, d).
    """

    _here: Tensor  # (m, d), where the particles stand
    _taken: Tensor  # (m,), False for those that stayed
    _over: bool  # whether a transition, or a part of one, has ended

    def __init__(self, x: Tensor) -> None:
        self._begin(x)

    def follow(self, stage: Stage) -> None:
        """Takes in the next stage of the transition."""

        name, _, points, origin = stage
        self._fresh = 0
        if points is None:
            return
        if name == "proposal":
            if self._over:
                self._begin(self._here)
            self._lead(points, points if origin is None else origin)
        elif name == "accepted":
            self._here, self._over = points[:FEW], True
            self._taken = torch.ones_like(self._taken) if origin is None else (points != origin).any(-1)[:FEW]
        else:
            self._begin(points)
            self._over = True
            self._lead(points[:FEW], points[:FEW] if origin is None else origin[:FEW])

    def ways(self) -> Ways:
        """Returns the lines, ready to travel."""

        owner = self._owner
        return Ways(lines=frozen(self._lines), owner=frozen(owner), taken=frozen(self._taken[owner]), fresh=self._fresh)

    def _begin(self, x: Tensor) -> None:
        self._here = self._seen = x[:FEW]
        self._names = torch.arange(len(self._seen), device=x.device)
        self._lines = x.new_empty(0, 2, 2)
        self._owner = self._names[:0]
        self._taken = torch.ones_like(self._names, dtype=torch.bool)
        self._fresh, self._over = 0, False

    def _lead(self, points: Tensor, origin: Tensor) -> None:
        """Adds the lines that begin where a particle has been; if there are none, those of the first particles."""

        same = (origin.unsqueeze(1) == self._seen).all(-1)
        rows = same.any(1).nonzero().squeeze(1)
        names = self._names[same[rows].int().argmax(1)]
        if not len(rows):
            rows = names = torch.arange(min(len(points), len(self._here)), device=points.device)
        self._lines = torch.cat([self._lines, torch.stack([origin[rows], points[rows]], 1)])[-MOST:]
        self._owner = torch.cat([self._owner, names])[-MOST:]
        self._seen = torch.cat([self._seen, points[rows]])[-MOST:]
        self._names = torch.cat([self._names, names])[-MOST:]
        self._fresh = len(rows)
