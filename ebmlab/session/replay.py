"""A run made again from its log, and whether it comes out the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ebmlab.engine.oracle import evaluate, reference
from ebmlab.engine.types import Work
from ebmlab.session.checkpoint import restore
from ebmlab.session.frame import Frame
from ebmlab.session.recorder import versions
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.state import State
from ebmlab.session.trace import Series
from ebmlab.spec import BadInput

FIGURES = 12
"""Steps at most whose exact figures are computed again."""
POINTS = 128
"""Points of the rule that figures are computed with while training goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a run did not come out the same."""

    step: int
    what: str
    most: float  # the greatest difference of two numbers; NaN where there is nothing to subtract


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a replay.

    Arguments:
        steps: How many steps were taken.
        start: The step that it began with: 0, unless the run did not begin from its seed.
        weights: How many sets of weights were compared.
        figures: How many figures were.
        differences: What was not the same, in the order of the steps.
        why: Why that can be, empty if all was the same.
    """

    steps: int = 0
    start: int = 0
    weights: int = 0
    figures: int = 0
    differences: tuple[Difference, ...] = ()
    why: str = ""

    @property
    def same(self) -> bool:
        """Whether everything that was compared came out the same, bit for bit."""

        return not self.differences


def replay(run: Run, device: str = "auto", *, thorough: bool = True) -> Work[tuple[Session, Verdict]]:
    """Trains a run again, with its edits at their steps; yields its progress in [0, 1], returns what came of it.

    Arguments:
        run: The run, with its log.
        device: What to train on.
        thorough: Whether to compare all that was kept, not only the last weights.

    Raises:
        BadInput: If the run has no log.
        Diverged: If the run did.
    """

    session, edits = _begun(run, device)
    check = _Check(run, session, thorough)
    begin = session.count
    check.look(edits)
    while True:
        while edits < len(run.log) and run.log[edits][0] <= session.count:
            session.edit(run.log[edits][1])
            edits += 1
            check.look(edits)
        if session.count >= run.step:
            break
        session.step()
        check.look(edits)
        yield (session.count - begin) / (run.step - begin)
    check.trace()
    return session, check.verdict(begin)


def _begun(run: Run, device: str) -> tuple[Session, int]:
    """Returns a session as the run began, and how many of its recipes have taken effect."""

    if not run.log:
        raise BadInput("this run has no log to be replayed; it was saved by an older version", source=run.source)
    session = Session(run.log[0][1], device)
    frames = (kept for kept in run.kept if kept.state is not None)
    first = next(frames, None)
    frame = None if first is None else Frame.loads(first.frame.read())
    if first is None or first.state is None or frame is None or _from_seed(session, frame):
        return session, 1
    recipe = run.log[max(frame.edits, 1) - 1][1]
    state = State.loads(first.state.read())
    begun = replace(run, recipe=recipe, step=frame.step, log=run.log[: frame.edits], state=state, series={}, kept=())
    return restore(Session(recipe, device), begun), frame.edits


def _from_seed(session: Session, frame: Frame) -> bool:
    """Returns whether a run began with the weights that its seed gives; if only its later steps were kept, it did."""

    mine = session.net.state_dict()
    return frame.step > 0 or (mine.keys() == frame.weights.keys() and _gap(mine, frame.weights) < 1e-3)


class _Check:
    """Compares a session with a run, step by step."""

    def __init__(self, run: Run, session: Session, thorough: bool) -> None:
        self._run, self._session = run, session
        self._kept = {kept.step: kept for kept in run.kept} if thorough else {}
        exact = run.series.get("exact") if thorough else None
        edited = {step for step, _ in run.log[1:]}  # there the figures may be of either recipe
        self._exact = {} if exact is None else {step: row for step, row in _some(exact) if step not in edited}
        self._found: list[Difference] = []
        self._weights = self._figures = 0
        self._last = -1

    def look(self, edits: int) -> None:
        """Compares the session as it is now, if that was kept."""

        step = self._session.count
        kept = self._kept.get(step)
        if kept is not None and step != self._last:
            frame = Frame.loads(kept.frame.read())
            if frame.edits == edits:
                self._last = step
                self._compare(step, frame.weights)
        if step == self._run.step and edits == len(self._run.log) and self._run.weights is not None:
            self._compare(step, self._run.weights)
        if step in self._exact:
            self._evaluate(self._exact.pop(step))

    def trace(self) -> None:
        """Compares what the estimator reported of every step."""

        before, now = self._run.series.get("training"), self._session.trace.view()
        if before is None or before.columns != now.columns:
            return
        rows = {int(row[0]): row for row in before.rows}
        for row in now.rows:
            if (old := rows.get(int(row[0]))) is not None:
                self._figures += len(row) - 1
                if not _same(old.tolist(), row.tolist()):
                    most = max((abs(a - b) for a, b in zip(old, row) if math.isfinite(a - b)), default=math.nan)
                    self._found.append(Difference(step=int(row[0]), what="what the estimator reported", most=most))
                    return

    def verdict(self, start: int) -> Verdict:
        """Returns what has come of it."""

        found = tuple(sorted(self._found, key=lambda d: d.step))
        why = _reason(self._run, self._session) if found else ""
        steps = self._session.count - start
        return Verdict(
            steps=steps, start=start, weights=self._weights, figures=self._figures, differences=found, why=why
        )

    def _compare(self, step: int, weights: Mapping[str, Tensor]) -> None:
        self._weights += 1
        mine = self._session.net.state_dict()
        if any(not torch.equal(w.to(mine[name].device), mine[name]) for name, w in weights.items()):
            self._found.append(Difference(step=step, what="the weights", most=_gap(mine, weights)))

    def _evaluate(self, row: Mapping[str, float]) -> None:
        session = self._session
        found = evaluate(session.net, reference(session.density, session.recipe.window, POINTS), session.count)
        names = {"log_z": found.log_z, "nll": found.nll, "entropy": found.entropy, "kl": found.kl}
        for name, value in names.items():
            old, new = row[name], math.nan if value is None else value
            self._figures += 1
            if not _same([old], [new]):
                self._found.append(Difference(step=session.count, what=f"the exact {name}", most=abs(old - new)))


def _some(series: Series) -> Iterator[tuple[int, dict[str, float]]]:
    """Yields some rows of a history, spread over it, by their steps."""

    for i in range(0, len(series), -(-len(series) // FIGURES) or 1):
        yield int(series["step"][i]), {name: float(series[name][i]) for name in series.columns}


def _same(a: list[float], b: list[float]) -> bool:
    return all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b, strict=True))


def _gap(mine: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> float:
    return max(
        ((w.cpu() - mine[name].cpu()).abs().max().item() for name, w in weights.items() if w.numel()), default=0.0
    )


def _reason(run: Run, session: Session) -> str:
    """Says what differs between then and now that bits depend on."""

    then, now = run.versions, versions(session.device)
    other = [f"{name} {then[name]} then, {now[name]} now" for name in now if then.get(name, now[name]) != now[name]]
    if not run.versions:
        return "the file does not say what it was trained with"
    if other:
        return "bits are the same only on the same versions and device: " + "; ".join(other)
    return "versions and device are the same, so the file was changed, or an operation draws on more than the seed"
