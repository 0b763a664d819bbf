from __future__ import annotations

import torch
from torch import Tensor

from ebmlab.engine.targets import Density
from ebmlab.engine.types import Rng
from ebmlab.session.streams import Streams


class Pool:
    """The points of the target that are trained on: fresh ones for ever, or a fixed number.

    Attributes:
        train: The fixed training points, with shape (size, d); None if they are drawn afresh.
        held_out: As many points again, never trained on; None likewise.
    """

    def __init__(self, density: Density, size: int, streams: Streams, device: torch.device) -> None:
        self._density = density
        self.train: Tensor | None = None
        self.held_out: Tensor | None = None
        if size:
            both = density.sample(2 * size, streams.fresh("pool", device))
            self.train, self.held_out = both[:size], both[size:]

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Draws a batch, with shape (n, d); with replacement where the points are fixed."""

        if self.train is None:
            return self._density.sample(n, rng)
        return self.train[torch.randint(len(self.train), (n,), generator=rng, device=rng.device)]
