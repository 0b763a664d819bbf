"""Which steps of a run a film shows, and how far the making of it is. No Qt."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ebmlab.spec import BadInput

FPS = (1.0, 60.0)
SECONDS = 10.0
MOST_PICTURES = 100_000


class Progress(NamedTuple):
    """How far a film is."""

    done: int  # pictures
    total: int
    left: float | None = None  # seconds; None while nobody can say

    @property
    def share(self) -> float:
        """How much is done, in [0, 1]."""

        return self.done / max(self.total, 1)


class Made(NamedTuple):
    """A film that is done."""

    path: Path
    pictures: int
    seconds: float  # that it took to make


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The part of a run that a film shows, at an even pace.

    Arguments:
        first: The step it begins with.
        last: The step it ends with.
        seconds: How long it lasts.
        fps: Pictures a second.
    """

    first: int
    last: int
    seconds: float = SECONDS
    fps: float = 30.0

    def __post_init__(self) -> None:
        low, high = FPS
        if not low <= self.fps <= high:
            raise BadInput(f"{self.fps:g} will not do; give {low:g} to {high:g} pictures a second", key="fps")
        if not 0 < self.seconds * self.fps <= MOST_PICTURES:
            raise BadInput(f"that is {self.seconds * self.fps:,.0f} pictures; give fewer seconds", key="seconds")

    @property
    def count(self) -> int:
        """How many pictures there are."""

        return max(round(self.seconds * self.fps), 1)

    @property
    def steps(self) -> list[int]:
        """The step that each picture shows."""

        last = max(self.count - 1, 1)
        return [round(self.first + (self.last - self.first) * i / last) for i in range(self.count)]

    @property
    def samples(self) -> list[int]:
        """A few of the steps, from the first to the last."""

        return [*self.steps[:: max(-(-self.count // 6), 1)], self.last]


def cut(kept: Sequence[int], first: int | None, last: int | None, seconds: float, fps: float) -> Cut:
    """Returns the part of a run between two of its steps, by default all of it.

    Arguments:
        kept: The steps of its timeline, rising.
        first: Where the film begins.
        last: Where it ends.
        seconds: How long it lasts.
        fps: Pictures a second.

    Raises:
        BadInput: If the run has no timeline, or the steps do not lie in it.
    """

    if len(kept) < 2:
        raise BadInput("this run has no timeline to film; make a picture (.png, .svg, .pdf), or train it again")
    ends = kept[0], kept[-1]
    first, last = ends[0] if first is None else first, ends[1] if last is None else last
    for key, step in (("from", first), ("to", last)):
        if not ends[0] <= step <= ends[1]:
            raise BadInput(f"there is no step {step}; give one from {ends[0]} to {ends[1]}", key=key)
    if first >= last:
        raise BadInput(f"the film would end at step {last} before it begins at {first}; give --from less than --to")
    return Cut(first=first, last=last, seconds=seconds, fps=fps)


class Watch:
    """Tells how long something goes on."""

    def __init__(self, count: int) -> None:
        self._count, self._start = count, time.monotonic()

    def progress(self, done: int) -> Progress:
        """Returns how far it is; the time left is that of the pictures so far."""

        spent = time.monotonic() - self._start
        return Progress(done, self._count, spent / done * (self._count - done) if spent > 0.5 and done else None)

    @property
    def seconds(self) -> float:
        """Seconds since it began."""

        return time.monotonic() - self._start
