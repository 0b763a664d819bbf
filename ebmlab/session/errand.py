from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

from ebmlab.session.mailbox import Mailbox
from ebmlab.spec import BadInput

P = TypeVar("P")
T = TypeVar("T")
log = logging.getLogger("ebmlab")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How an errand ended: with a result, with a fault, or, with neither, because it was called off."""

    result: T | None = None
    fault: str = ""


class Errand(Generic[P, T]):
    """A long computation on the side, in a thread of its own: it tells how far it is and can be called off.

    Two threads share two mailboxes and a flag. What the generator yields and returns must be frozen.

    Arguments:
        begin: Makes the generator, in the thread; its pieces take some milliseconds each.

    Attributes:
        progress: The newest that the generator yielded.
        outcome: How it ended, once it has.
    """

    def __init__(self, begin: Callable[[], Generator[P, None, T]]) -> None:
        self.progress: Mailbox[P] = Mailbox()
        self.outcome: Mailbox[Outcome[T]] = Mailbox()
        self._begin = begin
        self._called_off = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ebmlab-errand", daemon=True)

    def start(self) -> None:
        """Starts the thread."""

        self._thread.start()

    def call_off(self, timeout: float = 10.0) -> None:
        """Ends it after the piece it is at, and waits for it."""

        self._called_off.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def wait(self, timeout: float = 60.0) -> None:
        """Waits for its end, without calling it off."""

        self._thread.join(timeout)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""

        return self._thread.is_alive()

    def _run(self) -> None:
        torch.set_num_threads(1)
        try:
            self.outcome.put(Outcome(self._work()))
        except BadInput as fault:
            self.outcome.put(Outcome(fault=str(fault)))
        except Exception as failure:  # it is shown and can be copied; the window lives on
            log.exception("an errand met an error")
            self.outcome.put(Outcome(fault=f"an error in the program: {type(failure).__name__}: {failure}"))

    def _work(self) -> T | None:
        pieces = self._begin()
        try:
            while not self._called_off.is_set():
                self.progress.put(next(pieces))
        except StopIteration as end:
            return end.value
        pieces.close()
        return None
