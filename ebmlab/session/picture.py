from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.energies import EnergyNet
from ebmlab.engine.targets import Density
from ebmlab.engine.types import Window, chunks
from ebmlab.engine.window import Lattice
from ebmlab.session.snapshot import Lens, frozen


class Fields(NamedTuple):
    """The fields that a lens asks for, read-only; None for the others."""

    energy: np.ndarray | None
    target: np.ndarray | None
    score: np.ndarray | None
    target_score: np.ndarray | None


class Picture:
    """Evaluates energies and densities on the lattice of a lens. What rests on the target alone is kept."""

    def __init__(self, net: EnergyNet, density: Density, device: torch.device) -> None:
        self._net, self._density, self._device = net, density, device
        self._kept: dict[tuple[str, Window, int], np.ndarray] = {}
        self._points: dict[tuple[Window, int], Tensor] = {}

    def take(self, lens: Lens, resolution: int) -> Fields:
        """Returns the fields of a lens at a resolution."""

        wanted, window = lens.fields, lens.window
        return Fields(
            energy=self._energy(window, resolution) if "energy" in wanted else None,
            target=self._keep("target", window, resolution) if "target" in wanted else None,
            score=self._score(window, lens.quiver) if "score" in wanted else None,
            target_score=self._keep("score", window, lens.quiver) if "target-score" in wanted else None,
        )

    @torch.no_grad()
    def _energy(self, window: Window, n: int) -> np.ndarray:
        values = [self._net(x) for x in chunks(self._lattice(window, n), 8192)]
        return frozen(torch.cat(values).reshape(n, n))

    def _score(self, window: Window, n: int) -> np.ndarray:
        _, grad = value_and_grad(self._net, self._lattice(window, n))
        return frozen(-grad.reshape(n, n, 2))

    def _keep(self, what: str, window: Window, n: int) -> np.ndarray:
        key = what, window, n
        if key not in self._kept:
            if len(self._kept) > 16:
                self._kept.clear()
            self._kept[key] = self._target(window, n) if what == "target" else self._target_score(window, n)
        return self._kept[key]

    @torch.no_grad()
    def _target(self, window: Window, n: int) -> np.ndarray:
        x = Lattice(window, n, n).points(torch.float64)
        values = torch.cat([self._density.log_density(part) for part in chunks(x)])
        return frozen(values.float().reshape(n, n))

    def _target_score(self, window: Window, n: int) -> np.ndarray:
        """Returns the target's score where it has one, NaN elsewhere."""

        x = Lattice(window, n, n).points(torch.float64)
        value, grad = value_and_grad(self._density.log_density, x)
        grad = torch.where(value.isfinite()[:, None], grad, math.nan)
        return frozen(grad.float().reshape(n, n, 2))

    def _lattice(self, window: Window, n: int) -> Tensor:
        key = window, n
        if key not in self._points:
            if len(self._points) > 16:
                self._points.clear()
            self._points[key] = Lattice(window, n, n).points(device=self._device)
        return self._points[key]
