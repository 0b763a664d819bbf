r"""The timeline: what a run was like at many steps, in bounded memory, the sparser the longer ago.

A step is kept, :math:`a` steps later, if it is a multiple of the stride of that age,

.. math:: s(a) = b \, 2^{\min(k, \, \lceil \log_2^+ (a / (b \, d)) \rceil)}

with a base b, so that the last d strides are all kept, then every second one, and so on up to :math:`b \, 2^k`; k
grows with the run as the limits demand. Besides, the first steps of a run are kept, where most happens, and those whose
binary digits after the first few are 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ebmlab.session.blob import Blob, Held, Store
from ebmlab.session.frame import Frame
from ebmlab.session.state import State

PATIENCE = 64
"""Steps that are added before the timeline is thinned again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A step that somebody has named."""

    step: int
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A step of the timeline.

    Arguments:
        step: The step.
        frame: What it looked like, a :class:`~ebmlab.session.frame.Frame`.
        state: All that training went on with, a :class:`~ebmlab.session.state.State`; of some steps only.
    """

    step: int
    frame: Blob
    state: Blob | None = None

    @property
    def size(self) -> int:
        """How many bytes it takes."""

        return self.frame.size + (self.state.size if self.state else 0)


@dataclass(slots=True)
class Track:
    """Which steps are kept.

    Arguments:
        base: The finest stride.
        dense: How many of the latest are kept at it.
        most: How many may be kept in all.
        digits: Binary digits that the steps may have which are kept from the beginning.
        coarser: How many times the coarsest stride is the base's double.
    """

    base: int
    dense: int
    most: int
    digits: int
    coarser: int = 0

    def wants(self, step: int) -> bool:
        """Returns whether a step is to be kept when it has just been taken."""

        return step % self.base == 0 or early(step, self.digits)

    def keeps(self, step: int, now: int) -> bool:
        """Returns whether it still is at a later step."""

        if early(step, self.digits):
            return True
        age = (now - step) / (self.base * self.dense)
        doubled = min(self.coarser, math.ceil(math.log2(age)) if age > 1 else 0)
        return step % (self.base << doubled) == 0

    def thin(self, steps: Iterable[int], now: int) -> set[int]:
        """Returns which of some steps to keep, ever fewer of the old ones until there are not too many."""

        while len(kept := {step for step in steps if self.keeps(step, now)}) > self.most and self.coarsen(now):
            pass
        return kept

    def coarsen(self, now: int) -> bool:
        """Keeps fewer from now on: of long ago, where that is not enough of the latest, and at last of the first ones.

        Returns whether there was anything left to do.
        """

        if self.base << self.coarser < now:
            self.coarser += 1
        elif self.dense > 1:
            self.dense //= 2
        elif self.digits:
            self.digits -= 1
        else:
            return False
        return True


def early(step: int, digits: int) -> bool:
    """Returns whether all of a step's binary digits after the first few are 0: ever fewer steps."""

    return step & ((1 << max(step.bit_length() - digits, 0)) - 1) == 0


class Timeline:
    """Keeps frames, and among them states, of a run as it goes on.

    Arguments:
        memory: Bytes that may stay in memory; the others are moved to temporary files.
        most: Bytes in all.
    """

    def __init__(self, memory: int = 64 << 20, most: int = 240 << 20) -> None:
        self._store, self._most = Store(memory), most
        self._frames = Track(base=5, dense=64, most=600, digits=4)
        self._states = Track(base=50, dense=8, most=64, digits=0)
        self._kept: dict[int, Kept] = {}
        self._pinned: set[int] = set()
        self._view: tuple[Kept, ...] | None = None
        self._since = 0

    @property
    def kept(self) -> tuple[Kept, ...]:
        """What is kept, in the order of the steps; the same tuple until that changes."""

        if self._view is None:
            self._view = tuple(self._kept[step] for step in sorted(self._kept))
        return self._view

    @property
    def size(self) -> int:
        """Bytes that are kept, in memory and in files."""

        return sum(kept.size for kept in self._kept.values())

    def wants(self, step: int) -> bool:
        """Returns whether a frame of a step is wanted."""

        return self._frames.wants(step) or self._states.wants(step)

    def wants_state(self, step: int) -> bool:
        """Returns whether a state of a step is wanted too."""

        return self._states.wants(step)

    def add(self, frame: Frame, state: State | None = None, *, pin: bool = False) -> None:
        """Keeps a step; one that is pinned is never thinned out. Nobody may write to the tensors any more."""

        step = frame.step
        before = self._kept.get(step)
        held = Held(state) if state is not None else before.state if before else None
        self._kept[step], self._view = Kept(step, Held(frame), held), None
        if pin:
            self._pinned.add(step)
        self._since += 1
        if self._since >= PATIENCE:
            self._thin(step)

    def take(self, kept: Iterable[Kept], pinned: Iterable[int] = ()) -> None:
        """Goes on from what has been kept elsewhere."""

        self._kept, self._view = {entry.step: entry for entry in kept}, None
        self._pinned = set(pinned)

    def cut(self, step: int) -> None:
        """Forgets what came after a step."""

        self._kept = {s: entry for s, entry in self._kept.items() if s <= step}
        self._pinned = {s for s in self._pinned if s <= step}
        self._view = None

    def pin(self, step: int, on: bool = True) -> None:
        """Never thins a step out, or no longer holds on to it."""

        (self._pinned.add if on else self._pinned.discard)(step)

    def _thin(self, now: int) -> None:
        self._since, self._view = 0, None
        steps = [step for step in self._kept if step not in self._pinned]
        while True:
            frames, states = self._frames.thin(steps, now) | self._pinned, self._states.thin(steps, now) | self._pinned
            kept = {
                step: entry if step in states or entry.state is None else Kept(step, entry.frame)
                for step, entry in self._kept.items()
                if step in frames or step in states
            }
            fits = sum(entry.size for entry in kept.values()) <= self._most
            if fits or not (self._states.coarsen(now) | self._frames.coarsen(now)):
                break
        self._kept = kept
        blobs = (blob for entry in self.kept for blob in (entry.frame, entry.state))
        self._store.settle([blob for blob in blobs if isinstance(blob, Held)])
