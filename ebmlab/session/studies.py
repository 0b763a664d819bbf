"""What is found out about the weights besides training them: each study works on a frozen copy, in small pieces."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from ebmlab.engine.energies import EnergyNet
from ebmlab.engine.logz import LogZ, LogZMethod, Scene
from ebmlab.engine.meter import GradientReading, measure
from ebmlab.engine.oracle import Evaluation, evaluation
from ebmlab.engine.quadrature import like_of, prepare_sampler, rule, values_at
from ebmlab.engine.reference import Reference, prepare
from ebmlab.engine.types import Window, Work
from ebmlab.session.job import Job
from ebmlab.session.sandwich import close_in
from ebmlab.session.session import Session, bounds
from ebmlab.session.snapshot import Estimate, Sandwiched
from ebmlab.session.streams import Streams
from ebmlab.session.trace import Series, Trace
from ebmlab.spec import BadInput

GLANCE = 32
"""Points along each axis of the coarse rule that follows log Z between two exact figures."""

NEGLIGIBLE = 18.0
"""How many nats below the greatest a term of that rule may be before it is left out."""

POINTS = 128
"""Points of the rule along each axis, for the figures that are shown while training."""


class Frozen(NamedTuple):
    """A copy of the energy as it was at a step."""

    net: EnergyNet
    step: int


class Glance:
    """A sum over a few points that follows log Z from a known value, at next to no cost.

    It keeps the points of a coarse rule where the energy has mass. The sum over them is rough; its change is not.

    Arguments:
        net: The energy whose log Z is known.
        window: The window of the rule.
        log_z: That log Z.
    """

    def __init__(self, net: EnergyNet, window: Window, log_z: float) -> None:
        like, coarse = like_of(net), rule(window, GLANCE)
        terms = coarse.log_weights - torch.cat(list(values_at(net, coarse.points, like)))
        kept = terms > terms.max() - NEGLIGIBLE
        self._points, self._log_weights = coarse.points[kept].to(like), coarse.log_weights[kept]
        self._offset = log_z - torch.logsumexp(terms[kept], 0).item()

    @torch.no_grad()
    def log_z(self, net: EnergyNet) -> float:
        """Returns log Z of the energy as it is now."""

        terms = self._log_weights - net(self._points).cpu().double()
        return self._offset + torch.logsumexp(terms, 0).item()


def without_target(figures: Evaluation) -> Evaluation:
    """Returns the figures that are still true after the target has changed."""

    names = ("nll", "entropy", "kl", "reverse_kl", "fisher", "spurious_mass", "curvature")
    kept = tuple((name, why) for name, why in figures.why if name not in names)
    gone = tuple((name, "the target has just changed") for name in names)
    return Evaluation(
        step=figures.step,
        log_z=figures.log_z,
        log_z_error=figures.log_z_error,
        border_mass=figures.border_mass,
        normalisable=figures.normalisable,
        parameters=figures.parameters,
        why=(*kept, *gone),
    )


class Studies:
    """The exact figures, the recipe's estimates of log Z and the gradient meter, all live.

    Attributes:
        figures: The latest exact figures.
        reading: The latest reading of the gradient meter, with its step.
        warning: What the data tell against the estimator, empty if nothing.
        estimates: The latest estimate of log Z by each method that has one.
        sandwich: The latest bounds of log Z from both sides, while they are wanted.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._streams = Streams(session.recipe.seed, session.device)
        self.target: Reference | None = None
        self.figures: Evaluation | None = None
        self._glance: Glance | None = None
        self.reading: tuple[int, GradientReading] | None = None
        self.warning = ""
        self.estimates: dict[int, Estimate] = {}
        self.sandwich: Sandwiched | None = None
        self._sandwich_job: Job | None = None
        self._exact = Trace("step", "log_z", "error", "nll", "entropy", "kl", "train_nll", "held_out_nll")
        self._meter = Trace("step", "cosine", "bias", "variance")
        self._figures_job = Job(self._find_figures, weight=2.0)
        self._meter_job = Job(self._find_gradient)
        self._methods: tuple[LogZMethod, ...] = ()
        self._log_z_jobs: list[Job] = []
        self._log_z: list[Trace] = []
        self._edits = 0
        self._take_methods()

    def edited(self, target_changed: bool, window_changed: bool) -> None:
        """Takes note that the session's recipe has changed. What is known of log Z holds for another target too."""

        self._edits += 1
        if window_changed:
            self._glance = None
        if target_changed or window_changed:
            self.target = None
            self.figures = self.figures and without_target(self.figures)
            self._figures_job.drop()
            self._meter_job.drop()
        self._take_methods()

    def want_sandwich(self, on: bool) -> None:
        """Closes in on log Z from both sides from now on, or no longer."""

        if on == (self._sandwich_job is not None):
            return
        self.sandwich = self._sandwich_job = None
        if on:
            self._sandwich_job = self._new_job(self._find_sandwich)

    @property
    def pending(self) -> bool:
        """Whether anything is left to find out about the weights as they are."""

        return any(job.pending(self._version) for job in self._jobs())

    def advance(self) -> bool:
        """Does one piece of the study that has had the least time; returns whether there is anything new to show."""

        jobs = [job for job in self._jobs() if job.pending(self._version)]
        before = self.sandwich
        over = bool(jobs) and min(jobs, key=lambda job: job.waited).advance(self._version)
        return over or self.sandwich is not before

    def log_z_now(self) -> float | None:
        """Returns log Z of the weights of this very step; None while it is unknown or there is none.

        The exact log Z is known for weights of some steps ago; since then it has moved as its glance has.
        """

        return None if self._glance is None else self._glance.log_z(self._session.net)

    def series(self) -> tuple[Series, Series, tuple[Series, ...]]:
        """Returns the histories of the exact figures, of the meter and of each method of log Z."""

        return self._exact.view(), self._meter.view(), tuple(trace.view() for trace in self._log_z)

    def resume(self, series: Mapping[str, Series]) -> None:
        """Goes on with the histories of a run that was saved."""

        named = {"exact": self._exact, "meter": self._meter}
        named |= {f"log_z/{i}": trace for i, trace in enumerate(self._log_z)}
        for name, trace in named.items():
            if name in series and series[name].columns == trace.columns:
                trace.extend(series[name].rows)

    @property
    def _version(self) -> tuple[int, int]:
        return self._session.count, self._edits

    def _jobs(self) -> Iterator[Job]:
        yield self._figures_job
        yield from self._log_z_jobs
        if self._sandwich_job is not None:
            yield self._sandwich_job
        if self._session.begun and self._session.parameters and self.target is not None:
            yield self._meter_job

    def _freeze(self) -> Frozen:
        net = copy.deepcopy(self._session.net)
        net.requires_grad_(False)
        return Frozen(net, self._session.count)

    def _take_methods(self) -> None:
        methods = self._session.recipe.log_z
        if methods == self._methods:
            return
        old, self._methods = self._methods, methods
        jobs, traces = self._log_z_jobs, self._log_z
        kept = [i < len(old) and old[i] == method for i, method in enumerate(methods)]
        self._log_z = [traces[i] if keep else Trace("step", "value", "stderr") for i, keep in enumerate(kept)]
        new = (self._new_job(partial(self._find_log_z, i)) for i in range(len(kept)))
        self._log_z_jobs = [jobs[i] if keep else job for i, (keep, job) in enumerate(zip(kept, new, strict=True))]
        self.estimates = {i: e for i, e in self.estimates.items() if i < len(kept) and kept[i]}

    def _new_job(self, begin: Callable[[], Iterator[object]]) -> Job:
        job = Job(begin, weight=3.0)
        job.keep_pace(self._figures_job.waited)
        return job

    def _find_figures(self) -> Iterator[object]:
        if self.target is None:
            self.target = yield from prepare(self._session.density, self._session.recipe.window, POINTS)
        frozen, target = self._freeze(), self.target
        found = yield from evaluation(frozen.net, target, frozen.step)
        found = replace(found, bounds=bounds(frozen.net, self._session.density, self._streams["bounds"]))
        train, held_out = (self._nll(frozen, found, x) for x in (self._session.pool.train, self._session.pool.held_out))
        self.figures = found
        self._glance = None
        if found.log_z is not None:
            self._glance = Glance(frozen.net, self._session.recipe.window, found.log_z)
        row = (found.log_z, found.log_z_error, found.nll, found.entropy, found.kl, train, held_out)
        self._exact.append(found.step, *(math.nan if value is None else value for value in row))

    @torch.no_grad()
    def _nll(self, frozen: Frozen, found: Evaluation, x: torch.Tensor | None) -> float | None:
        """Returns the mean of -log p over fixed points."""

        if x is None or found.log_z is None:
            return None
        return frozen.net(x).double().mean().item() + found.log_z

    def _find_log_z(self, index: int) -> Iterator[object]:
        frozen, method = self._freeze(), self._methods[index]
        last = LogZ(math.nan, math.nan, 0.0, 0)
        try:
            scene = yield from self._scene(frozen, method)
            for last in method.run(scene, self._streams[f"log-z/{index}"]):
                yield last
        except BadInput as fault:
            last = LogZ(math.nan, math.nan, 1.0, 0, warning=str(fault))
        self.estimates[index] = Estimate(index=index, kind=method.kind, step=frozen.step, log_z=last)
        self._log_z[index].append(frozen.step, last.value, last.stderr)

    def _scene(self, frozen: Frozen, method: LogZMethod) -> Work[Scene]:
        window, like = self._session.recipe.window, torch.empty(0, device=self._session.device)
        exact = (yield from prepare_sampler(frozen.net, window, like)) if method.from_exact else None
        return Scene(frozen.net, like, window, exact=exact, data=self._session.density.sample)

    def _find_sandwich(self) -> Iterator[object]:
        def record(found: Sandwiched) -> None:
            self.sandwich = found

        frozen = self._freeze()
        scene = Scene(frozen.net, like_of(frozen.net), self._session.recipe.window)
        return close_in(scene, frozen.step, self._methods, self._streams["log-z/sandwich"], record)

    def _find_gradient(self) -> Iterator[object]:
        assert self.target is not None  # the job is not due before
        frozen, session = self._freeze(), self._session
        frozen.net.requires_grad_(True)
        recipe, rng = session.recipe, self._streams["meter"]
        reading = yield from measure(frozen.net, self.target, recipe.estimator, recipe.batch, session.memory(), rng)
        self.reading = frozen.step, reading
        self.warning = session.warning()
        self._meter.append(frozen.step, reading.cosine, reading.bias, reading.variance)
