from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """One slot, where the newest letter replaces the one before: a slow reader skips, a fast writer never waits."""

    def __init__(self) -> None:
        self._slot: deque[T] = deque(maxlen=1)

    def put(self, letter: T) -> None:
        """Leaves a letter; called by the writer's thread."""

        self._slot.append(letter)

    def take(self) -> T | None:
        """Returns the newest letter and empties the slot; None if there is none. Called by the reader's thread."""

        try:
            return self._slot.pop()
        except IndexError:
            return None
