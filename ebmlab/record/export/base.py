"""What every format is: a name, what it needs, and a generator that writes the file and checks it."""

from __future__ import annotations

import copy
import importlib.util
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import fx

from ebmlab import __version__
from ebmlab.engine.energies import EnergyNet
from ebmlab.engine.oracle import Evaluation
from ebmlab.engine.types import Work
from ebmlab.record.export.graph import graph_of
from ebmlab.session.frame import Frame
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.trace import Series
from ebmlab.spec import BadInput

TOLERANCE = 1e-5
"""The largest difference from torch that a file is let out with, or, where torch itself is rounded by more,"""
ROUNDINGS = 4
"""this many of its roundings."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What leaves the lab.

    Arguments:
        session: The energy, its recipe and its step. It is read while the generator runs, and never changed.
        series: The histories by name; the session's own trace where there are none.
        particles: Points that the model's sampler has moved, with shape (n, 2); None to draw some.
    """

    session: Session
    series: Mapping[str, Series] = field(default_factory=dict)
    particles: np.ndarray | None = None

    @classmethod
    def of(cls, session: Session, run: Run | None = None) -> Source:
        """Takes histories and particles from the run that the session was opened from."""

        if run is None:
            return cls(session=session)
        particles = Frame.loads(run.kept[-1].frame.read()).particles.numpy() if run.kept else np.empty(0)
        return cls(session=session, series=run.series, particles=particles if len(particles) else None)

    @cached_property
    def net(self) -> EnergyNet:
        """The energy as it was when first asked for, on the CPU, learning nothing."""

        return copy.deepcopy(self.session.net).to("cpu").requires_grad_(False)

    @cached_property
    def graph(self) -> fx.GraphModule:
        """The energy as a graph of torch operations."""

        return graph_of(self.net)

    @cached_property
    def figures(self) -> Evaluation:
        """The exact figures of the energy."""

        return self.session.evaluate()

    @property
    def facts(self) -> dict[str, str]:
        """Where the energy comes from, for a file's metadata."""

        return {
            "ebmlab": __version__,
            "recipe": self.session.recipe.dumps(),
            "step": str(self.session.count),
            "log_z": _shown(self.figures.log_z),
            "log_z_error": _shown(self.figures.log_z_error),
        }


class Check(NamedTuple):
    """How far a file that was read again is from torch.

    Arguments:
        by: What read it.
        points: At how many points they were compared.
        error: The largest difference of an energy or a score, relative to that of torch, or to 1 if that is larger.
        rounding: The largest difference of torch in float32, in the same measure, from torch in float64 there and two
            roundings of the points aside: no file in float32 can be held to less.
    """

    by: str
    points: int
    error: float
    rounding: float = 0.0

    @property
    def limit(self) -> float:
        """The largest error that is a rounding."""

        return max(TOLERANCE, ROUNDINGS * self.rounding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that the lab writes.

    Arguments:
        ending: How the names of its files end.
        title: What it is called on the screen.
        help: One sentence: what it holds, and for whom.
        write: Writes a file that does not exist yet and reads it again; it yields its progress, and returns the check,
            or None where there is nothing to check.
        needs: The modules without which it cannot be written.
        extra: The extra that brings those modules.
    """

    ending: str
    title: str
    help: str
    write: Callable[[Source, Path], Work[Check | None]]
    needs: tuple[str, ...] = ()
    extra: str = ""

    def demand(self) -> None:
        """Checks that what it needs is installed.

        Raises:
            BadInput: If not; the message says what to install.
        """

        missing = [name for name in self.needs if importlib.util.find_spec(name) is None]
        if missing:
            raise BadInput(f'{self.title} needs {" and ".join(missing)}; pip install "ebmlab[{self.extra}]"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How an export ended.

    Arguments:
        format: The name of the format.
        path: The file.
        size: Its bytes.
        check: How far it is from torch, where that can be said.
        fault: Why there is no file, empty if there is one: the check has failed.
    """

    format: str
    path: str
    size: int = 0
    check: Check | None = None
    fault: str = ""


def _shown(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else repr(value)
