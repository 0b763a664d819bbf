"""What travels from the session to whoever watches: plain, frozen, read-only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from torch import Tensor

from ebmlab.engine.logz import LogZ, Slice
from ebmlab.engine.meter import GradientReading
from ebmlab.engine.oracle import Evaluation
from ebmlab.engine.types import Window
from ebmlab.session.recipe import Recipe
from ebmlab.session.timeline import Moment
from ebmlab.session.trace import Series

Field = Literal["energy", "target", "score", "target-score"]
Status = Literal["paused", "running", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """What the visible views need; hidden views ask for nothing.

    Arguments:
        window: The rectangle of the plane that they show.
        resolution: Points of the lattice along each side.
        fields: Which fields are wanted on it.
        quiver: Points of the coarse lattice of the scores along each side.
        particles: How many particles are wanted.
        sandwich: Whether log Z is to be closed in on from both sides, which takes seconds.
    """

    window: Window = (-6.0, 6.0, -6.0, 6.0)
    resolution: int = 96
    fields: frozenset[Field] = frozenset({"energy", "target"})
    quiver: int = 24
    particles: int = 1000
    sandwich: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways that a few particles have gone since a transition began, line by line."""

    lines: np.ndarray  # (k, 2, 2), from where to where
    owner: np.ndarray  # (k,), whose they are
    taken: np.ndarray  # (k,), False for the lines of particles that stayed where they were
    fresh: int = 0  # how many lines at the end are of this very stage


@dataclass(frozen=True, slots=True, kw_only=True)
class StageShown:
    """The stage of a training step, or of the particles' transition, that slow motion has stopped at."""

    name: str
    text: str
    index: int  # how many stages of this step came before
    points: np.ndarray | None = None  # (n, 2)
    origin: np.ndarray | None = None  # (n, 2)
    ways: Ways | None = None  # of the particles' transition only


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An estimate of log Z by one of the recipe's methods, with the step whose weights it is about."""

    index: int  # its place in the recipe's list
    kind: str
    step: int
    log_z: LogZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandwiched:
    """Bounds of log Z from below and from above, of the weights of a step, for ever more rungs."""

    step: int
    slices: tuple[Slice, ...] = ()
    log_z: float | None = None  # exact, of the same weights
    error: float = 0.0  # of the exact one
    why: str = ""  # why there are none


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the particles' chains fare; None where there are too few draws to say."""

    accept: float | None = None
    swaps: tuple[float, ...] = ()  # rate of swaps between neighbouring replicas, the coldest first
    r_hat: float | None = None
    ess: float | None = None  # effective sample size over all chains
    draws: int = 0  # what the effective sample size is of
    occupancy: tuple[float, ...] = ()  # share of the particles in the basin of each mode of the target
    stability: float | None = None  # step size over its stability limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The energy of another step of the run, for the shown one to be compared with."""

    step: int
    energy: np.ndarray | None = None  # (resolution, resolution), E
    log_z: float | None = None
    figures: Evaluation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of a session between two steps: plain, read-only numbers, safe to hand to any thread.

    Fields lie on the lattice of the lens, in rows from bottom to top; None where the lens does not ask for them.
    """

    step: int
    recipe: Recipe
    lens: Lens
    status: Status = "paused"
    reason: str = ""  # why the run failed, and which knob to turn
    refusal: str = ""  # why the last edit was not taken; the recipe here is then the one before it
    device: str = "cpu"
    parameters: int = 0  # how many the energy has
    steps_per_second: float = 0.0
    seconds: float = 0.0  # time spent training so far

    energy: np.ndarray | None = None  # (resolution, resolution), E
    target: np.ndarray | None = None  # (resolution, resolution), log p; the same array until target or window changes
    score: np.ndarray | None = None  # (quiver, quiver, 2), -grad E
    target_score: np.ndarray | None = None  # (quiver, quiver, 2), grad log p, NaN where there is none
    log_z: float | None = None  # of the weights of this very step: exp(-energy - log_z) is the model's density

    data: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))  # (m, 2), the last batch
    negatives: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))  # (m, 2)
    particles: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))  # (n, 2)
    stage: StageShown | None = None  # in slow motion only

    figures: Evaluation | None = None  # exact, of the step that it names
    gradient: GradientReading | None = None
    gradient_step: int = 0
    warning: str = ""  # what the data tell against the estimator
    estimates: tuple[Estimate, ...] = ()
    sandwich: Sandwiched | None = None  # where the lens asks for it
    health: Health = Health()

    training: Series | None = None  # step, value, accept, log_z (the estimator's own)
    exact: Series | None = None  # step, log_z, error, nll, entropy, kl, train_nll, held_out_nll
    meter: Series | None = None  # step, cosine, bias, variance
    log_z_history: tuple[Series, ...] = ()  # per method of the recipe: step, value, stderr

    past: bool = False  # whether this is the timeline's, not the run as it is now
    end: int = 0  # the step that the run has come to
    kept: tuple[int, ...] = ()  # the steps of the timeline; the same tuple until they change
    moments: tuple[Moment, ...] = ()  # those that have a name
    pinned: Pinned | None = None


def frozen(x: Tensor) -> np.ndarray:
    """Copies a tensor out of the trainer's hands."""

    array: np.ndarray = x.detach().to("cpu", copy=True).numpy()
    array.flags.writeable = False
    return array
