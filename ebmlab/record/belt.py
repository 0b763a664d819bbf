from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from types import TracebackType

import numpy as np

from ebmlab.record.encoders import Encoder

AHEAD = 4
"""Pictures that wait for the encoder at the most."""


class CalledOff(Exception):
    """The film is not wanted any more."""


class Belt:
    """Hands pictures to an encoder in a thread of its own, so that painting and encoding go on side by side.

    Leaving the block ends the film; leaving it by an exception calls it off, and nothing is left of it.

    Arguments:
        encoder: Writes the film.
        count: How many pictures there will be.
        samples: Some of them, from all over the film.
    """

    def __init__(self, encoder: Encoder, count: int, samples: Iterable[np.ndarray] = ()) -> None:
        self._queue: Queue[np.ndarray | None] = Queue(AHEAD)
        self._called_off = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, args=(encoder, count, list(samples)), name="ebmlab-encoder", daemon=True
        )

    def put(self, picture: np.ndarray | None) -> None:
        """Hands over the next picture, which nobody may write to any more; waits while too many are waiting.

        Raises:
            Exception: What the encoder met.
        """

        while self._thread.is_alive():
            try:
                self._queue.put(picture, timeout=0.2)
                return
            except Full:
                continue
        self._raise()

    def __enter__(self) -> Belt:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._called_off.set()
        else:
            self.put(None)
        self._thread.join()
        if kind is None:
            self._raise()

    def _raise(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _run(self, encoder: Encoder, count: int, samples: list[np.ndarray]) -> None:
        try:
            encoder.encode(self._pictures(), count, samples)
        except CalledOff:
            pass
        except BaseException as fault:  # whoever paints raises it
            self._fault = fault

    def _pictures(self) -> Iterator[np.ndarray]:
        while True:
            if self._called_off.is_set():
                raise CalledOff
            try:
                picture = self._queue.get(timeout=0.05)
            except Empty:
                continue
            if picture is None:
                return
            yield picture
