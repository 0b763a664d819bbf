from __future__ import annotations

import zlib
from collections.abc import Mapping

import torch
from torch import Tensor

from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput


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

    def capture(self) -> dict[str, Tensor]:
        """Returns where every stream has come to, each with shape (m,), uint8."""

        return {purpose: stream.get_state() for purpose, stream in self._streams.items()}

    def resumed(self, places: Mapping[str, Tensor]) -> Streams:
        """Returns streams of the same seed and device that go on from where others had come to.

        Raises:
            BadInput: If a place is none of a stream on this kind of device.
        """

        streams = Streams(self._seed, self._device)
        for purpose, place in places.items():
            try:
                streams[purpose].set_state(place)
            except (RuntimeError, TypeError):
                message = (
                    f"this is no place in a stream of random numbers on {self._device.type}; save the session again"
                )
                raise BadInput(message, key=f"state.streams.{purpose[:80]}") from None
        return streams
