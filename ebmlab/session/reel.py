from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from ebmlab.engine.energies import EnergyNet, count
from ebmlab.engine.logz import LogZ
from ebmlab.engine.oracle import Evaluation, evaluation
from ebmlab.engine.quadrature import integral, like_of, rule, values_at
from ebmlab.engine.reference import Reference, reference
from ebmlab.engine.targets import Density
from ebmlab.engine.types import Reader, Window, Work
from ebmlab.session.cloud import Cloud
from ebmlab.session.devices import choose
from ebmlab.session.files import Files
from ebmlab.session.frame import Frame
from ebmlab.session.picture import Picture
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.snapshot import Estimate, Lens, Pinned, Snapshot, frozen
from ebmlab.session.streams import Streams
from ebmlab.session.trace import Series, Trace
from ebmlab.spec import BadInput

POINTS = 96
"""Points along each axis of the rule for log Z where the run did not record it."""
FIGURES = 64
"""Steps at most whose exact figures are found out afterwards."""
EXACT = ("step", "log_z", "error", "nll", "entropy", "kl", "train_nll", "held_out_nll")


class Reel:
    """Shows a run as it was at any step that its timeline kept, as the snapshots that views and films are made of.

    Attributes:
        steps: The steps that were kept, rising.
        end: The step that the run has come to.
        edits: How many of its recipes have taken effect.

    Arguments:
        run: The run.
        device: Where the energies are evaluated.
        read: What reads the files that its targets name.
    """

    def __init__(self, run: Run, device: str = "cpu", read: Reader | None = None) -> None:
        self._device, self._read = choose(device), read or Files()
        self._net: EnergyNet | None = None
        self._densities: dict[tuple[object, Window], Density] = {}
        self._pictures: dict[tuple[object, Window], Picture] = {}
        self._frame: Frame | None = None
        self.take(run)

    def take(self, run: Run) -> None:
        """Goes over to the run as it has become since; what it took long to make is kept."""

        self._run = run
        self._log = [recipe for _, recipe in run.log] or [run.recipe]
        self._kept = run.kept
        self.steps: tuple[int, ...] = tuple(kept.step for kept in run.kept)
        self.end, self.edits = run.step, len(run.log)
        self._series: dict[str, Series] = dict(run.series)

    def frame(self, step: int) -> Frame:
        """Returns the last frame that was kept up to a step, or the first.

        Raises:
            BadInput: If nothing was kept, or it is broken.
        """

        if not self.steps:
            raise BadInput("this run has no timeline; train it again, or show it as it is now", source=self._run.source)
        kept = self._kept[max(bisect_right(self.steps, step) - 1, 0)]
        if self._frame is None or self._frame.step != kept.step:
            self._frame = Frame.loads(kept.frame.read())
        return self._frame

    def recipe_at(self, step: int) -> Recipe:
        """Returns the recipe that was in force at a step."""

        return self._recipe(self.frame(step))

    def snapshot(self, step: int, lens: Lens, resolution: int | None = None) -> Snapshot:
        """Returns the last kept step up to a step, as a view shows it.

        Arguments:
            step: The step.
            lens: What is asked for.
            resolution: Points of the lattice along each side, those of the lens if None.
        """

        frame = self.frame(step)
        recipe = self._recipe(frame)
        net, picture = self._energy(frame, recipe), self._picture(recipe)
        fields = picture.take(lens, resolution or lens.resolution)
        return Snapshot(
            step=frame.step,
            recipe=recipe,
            lens=lens,
            device=str(self._device),
            parameters=count(net),
            **fields._asdict(),
            log_z=frame.log_z if frame.log_z is not None else log_z_of(net, recipe.window),
            data=frozen(frame.data),
            negatives=frozen(frame.negatives),
            particles=frozen(frame.particles),
            figures=frame.figures or self._figures(frame.step),
            past=True,
            end=max(self.end, frame.step),
            moments=self._run.moments,
            kept=self.steps,
            **self._histories(frame, recipe),
        )

    def play(self, steps: Sequence[int], lens: Lens) -> Iterator[Snapshot]:
        """Yields a snapshot for each picture of a film; the particles go on moving from one to the next.

        The sampler moves them over the energies of the timeline, from where they were at the first step, so that they
        flow even where one frame is shown several times.
        """

        rng = Streams(self.recipe_at(steps[0]).seed, self._device).fresh("film", self._device)
        cloud: Cloud | None = None
        shown: Snapshot | None = None
        for step in steps:
            frame = self.frame(step)
            recipe = self._recipe(frame)
            if shown is None or frame.step != shown.step:
                shown = self.snapshot(step, lens)
            if cloud is None:
                cloud = Cloud(recipe.window, frame.particles.to(self._device))
                cloud.x = frame.particles.to(self._device)
            if lens.particles:
                cloud.drift(recipe.sampler, self._energy(frame, recipe), lens.particles, rng)
            yield replace(shown, particles=frozen(cloud.x))

    def pinned(self, step: int, lens: Lens, resolution: int | None = None) -> Pinned:
        """Returns the energy of a step, for another to be compared with."""

        shown = self.snapshot(step, replace(lens, fields=frozenset({"energy"})), resolution)
        return Pinned(step=shown.step, energy=shown.energy, log_z=shown.log_z, figures=shown.figures)

    def complete(self) -> Work[None]:
        """Finds out the exact figures of some steps, where the run recorded none; yields its progress in [0, 1]."""

        if len(self._series.get("exact", ())) or not self.steps:
            return
        trace = Trace(*EXACT)
        chosen = self.steps[:: -(-len(self.steps) // FIGURES)]
        targets: dict[object, Reference] = {}
        for i, step in enumerate(dict.fromkeys((*chosen, self.steps[-1]))):
            recipe = self.recipe_at(step)
            key = recipe.target, recipe.window
            if key not in targets:
                targets[key] = reference(self._density(recipe), recipe.window, 128)
            found: Evaluation = yield from evaluation(self._energy(self.frame(step), recipe), targets[key], step)
            row = (found.log_z, found.log_z_error, found.nll, found.entropy, found.kl, None, None)
            trace.append(step, *(math.nan if value is None else value for value in row))
            yield i / len(chosen)
        self._series["exact"] = trace.view()

    def _recipe(self, frame: Frame) -> Recipe:
        return self._log[min(max(frame.edits, 1), len(self._log)) - 1]

    def _energy(self, frame: Frame, recipe: Recipe) -> EnergyNet:
        if self._net is None:
            rng = torch.Generator().manual_seed(0)
            self._net = recipe.energy.build(rng, self._density(recipe).dim).to(self._device).requires_grad_(False)
        self._net.spec = recipe.energy
        try:
            self._net.load_state_dict({name: w.to(self._device) for name, w in frame.weights.items()})
        except RuntimeError:
            message = "a picture of the timeline has other weights than the recipe's energy; save the session again"
            raise BadInput(message, source=self._run.source) from None
        return self._net

    def _density(self, recipe: Recipe) -> Density:
        key = recipe.target, recipe.window
        if key not in self._densities:
            self._densities[key] = recipe.target.build(self._read, recipe.window)
        return self._densities[key]

    def _picture(self, recipe: Recipe) -> Picture:
        key = recipe.target, recipe.window
        if key not in self._pictures:
            assert self._net is not None
            self._pictures[key] = Picture(self._net, self._density(recipe), self._device)
        return self._pictures[key]

    def _histories(self, frame: Frame, recipe: Recipe) -> dict[str, Any]:
        """Returns the series as they were at a step, and the estimates of log Z that were the latest.

        The exact figures end with those that the panes show: later ones were not known yet.
        """

        cut = {name: series.until(frame.step) for name, series in self._series.items()}
        if frame.figures is not None and "exact" in cut:
            cut["exact"] = cut["exact"].until(frame.figures.step)
        log_z = tuple(cut.get(f"log_z/{i}", _NOTHING) for i in range(len(recipe.log_z)))
        estimates = tuple(
            Estimate(index=i, kind=recipe.log_z[i].kind, step=int(series["step"][-1]), log_z=_last(series))
            for i, series in enumerate(log_z)
            if len(series)
        )
        found = {name: cut.get(name) for name in ("training", "exact", "meter")}
        return {**found, "log_z_history": log_z, "estimates": estimates}

    def _figures(self, step: int) -> Evaluation | None:
        """Returns the figures that the exact series has of the last step before."""

        exact = self._series.get("exact")
        if exact is None or not len(exact.until(step)):
            return None
        row = exact.until(step)
        log_z, nll, entropy, kl = (
            None if math.isnan(value := float(row[name][-1])) else value for name in ("log_z", "nll", "entropy", "kl")
        )
        known = log_z is not None
        return Evaluation(step=int(row["step"][-1]), log_z=log_z, nll=nll, entropy=entropy, kl=kl, normalisable=known)


_NOTHING = Trace("step", "value", "stderr").view()


def _last(series: Series) -> LogZ:
    return LogZ(float(series["value"][-1]), float(series["stderr"][-1]), 1.0, 0)


@torch.no_grad()
def log_z_of(net: EnergyNet, window: Window) -> float | None:
    """Returns the exact log Z of an energy; None where there is none."""

    like, plane = like_of(net), rule(window, POINTS)
    whole = integral(plane, torch.cat(list(values_at(net, plane.points, like))), torch.finfo(like.dtype).eps)
    return None if whole.why else whole.log_z
