from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, optim

from ebmlab.engine.optimizers import Optimizer
from ebmlab.session.fitting import revived
from ebmlab.session.state import Moments, moments


class Trainer:
    """Optimisers over the stacked tensors of many runs: one for each stretch of runs with the same settings.

    Arguments:
        kinds: The optimiser of each run.
        tensors: What is trained, stacked, each with shape (runs, ...); changed in place.
        kept: What the optimiser of each run has kept so far.
        key: What the optimiser is called in a session's state.
    """

    def __init__(
        self, kinds: Sequence[Optimizer], tensors: Sequence[Tensor], kept: Sequence[Moments | None], key: str
    ) -> None:
        self._stretches: list[tuple[slice, optim.Optimizer, list[Tensor]]] = []
        starts = [i for i, kind in enumerate(kinds) if i == 0 or kind != kinds[i - 1]]
        for start, end in zip(starts, [*starts[1:], len(kinds)]):
            rows = slice(start, end)
            parts = [tensor[rows] for tensor in tensors]
            made = revived(kinds[start], parts, _stacked(kept[rows]), key)
            if made is not None:
                self._stretches.append((rows, made, parts))

    def step(self, grads: Sequence[Tensor | None]) -> None:
        """Follows the gradients, one for each tensor; None where the loss does not depend on it."""

        for rows, optimizer, parts in self._stretches:
            for part, grad in zip(parts, grads, strict=True):
                # Fused optimisers go by the memory alone, and vmap hands out some gradients transposed.
                part.grad = None if grad is None else grad[rows].contiguous()
            optimizer.step()

    def kept(self, run: int) -> Moments | None:
        """Returns what the optimiser of a run alone would have kept."""

        for rows, optimizer, _ in self._stretches:
            if rows.start <= run < rows.stop:
                whole = moments(optimizer) or {}
                return {i: {n: _row(x, run - rows.start) for n, x in each.items()} for i, each in whole.items()}
        return None


def _stacked(kept: Sequence[Moments | None]) -> Moments | None:
    """Returns what the optimisers of some runs have kept, stacked; the number of steps is the same for all."""

    first = kept[0]
    if first is None:
        return None
    every = [each for each in kept if each is not None]
    return {
        i: {n: torch.stack([run[i][n] for run in every]) if n != "step" else x for n, x in each.items()}
        for i, each in first.items()
    }


def _row(x: Tensor, run: int) -> Tensor:
    return x[run].clone() if x.ndim else x.clone()
