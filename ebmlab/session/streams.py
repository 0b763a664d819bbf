from __future__ import annotations

import zlib

import torch

from ebmlab.engine.types import Rng


class Streams:
    """One stream of random numbers per purpose, all from one seed, so that watching a run does not change it."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._seed, self._device = seed, device
        self._streams: dict[str, Rng] = {}

    def __getitem__(self, purpose: str) -> Rng:
        """Returns the stream of a purpose, on the device; it goes on from where it was left."""

        if purpose not in self._streams:
            self._streams[purpose] = self.fresh(purpose, self._device)
        return self._streams[purpose]

    def fresh(self, purpose: str, device: torch.device | str = "cpu") -> Rng:
        """Returns the stream of a purpose from its beginning."""

        return torch.Generator(device).manual_seed(zlib.crc32(f"{self._seed}/{purpose}".encode()))
