"""What a person should know before believing the picture: a snapshot, judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ebmlab.engine.samplers import Sampler
from ebmlab.session.snapshot import Snapshot
from ebmlab.spec import components

Level = Literal["good", "fair", "bad"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding of the honesty strip."""

    level: Level
    text: str  # a few words
    detail: str  # a sentence or two, for the tool-tip


def verdicts(snapshot: Snapshot) -> tuple[Verdict, ...]:
    """Returns what there is to say, the worst first."""

    found = [verdict for judge in JUDGES for verdict in judge(snapshot)]
    return tuple(sorted(found, key=lambda v: ("bad", "fair", "good").index(v.level)))


def _failure(snapshot: Snapshot) -> Iterator[Verdict]:
    if snapshot.status == "failed":
        yield Verdict("bad", snapshot.reason, "The run is paused; the last good weights are kept.")


def _temperature(snapshot: Snapshot) -> Iterator[Verdict]:
    samplers = ((path, part) for path, part in components(snapshot.recipe) if isinstance(part, Sampler))
    for path, sampler in samplers:
        t = sampler.temperature_sampled()
        law = "exp(−E)" if t == 1 else f"exp(−E / {t:g})" if t > 0 else "the minima of E"
        if t != 1:
            whose = "particles show" if path == "sampler" else "negatives are drawn from"
            yield Verdict("fair", f"{whose} {law}, not the model", f"{path} has temperature {t:g}; the model's is 1.")
        elif path == "sampler":
            yield Verdict("good", f"samples {law}, τ = 1", "The particles' sampler targets the model itself.")


def _normalisable(snapshot: Snapshot) -> Iterator[Verdict]:
    figures = snapshot.figures
    if figures is None:
        return
    mass = figures.border_mass or 0.0
    if figures.normalisable:
        yield Verdict(
            "good",
            f"normalisable: border mass {scientific(mass)}",
            "The integral of exp(−E) stands still when the region of integration is doubled.",
        )
    else:
        yield Verdict(
            "bad",
            "not normalisable: log Z grows with the window",
            f"A share {mass:.2g} of the mass lies at the outer border; figures that need log Z are withheld. "
            "Turn up the confinement c.",
        )


def _precision(snapshot: Snapshot) -> Iterator[Verdict]:
    figures = snapshot.figures
    if figures is not None and figures.log_z_error is not None and figures.log_z_error > 5e-3:
        yield Verdict(
            "fair",
            f"log Z known to ± {figures.log_z_error:.1g}",
            "The energy bends faster than the lattice of the live figures resolves; `ebmlab evaluate` refines it.",
        )


def _stability(snapshot: Snapshot) -> Iterator[Verdict]:
    share = snapshot.health.stability
    if share is None:
        return
    level: Level = "good" if share < 0.5 else "fair" if share < 1 else "bad"
    yield Verdict(
        level,
        f"ε at {share:.2g} of the stability limit",
        "Where the energy bends most, the particles' step size is this share of the largest that does not fly off.",
    )


def _mixing(snapshot: Snapshot) -> Iterator[Verdict]:
    r_hat = snapshot.health.r_hat
    if r_hat is None or snapshot.health.draws == 0:
        return
    level: Level = "good" if r_hat < 1.05 else "fair"
    text = f"chains {'agree' if level == 'good' else 'mix slowly'}: R̂ {r_hat:.2f}"
    yield Verdict(level, text, "Split R̂ over the particles' latest positions; above 1.05 they remember their start.")


def _occupancy(snapshot: Snapshot) -> Iterator[Verdict]:
    figures, occupancy = snapshot.figures, snapshot.health.occupancy
    if figures is None or len(figures.modes) < 2 or len(occupancy) != len(figures.modes):
        return
    gaps = [(abs(share - (mode.model_mass or 0.0)), share, mode) for share, mode in zip(occupancy, figures.modes)]
    gap, share, mode = max(gaps, key=lambda g: g[0])
    if gap > 0.1 and mode.model_mass is not None:
        where = f"({mode.x + 0.0:.1f}, {mode.y + 0.0:.1f})".replace("-0.0", "0.0").replace("-", "−")
        yield Verdict(
            "fair",
            f"particles at {where}: {share:.2f} of {mode.model_mass:.2f}",
            "The share of the particles in this mode's basin against the model's exact mass there.",
        )


def _spurious(snapshot: Snapshot) -> Iterator[Verdict]:
    mass = snapshot.figures.spurious_mass if snapshot.figures else None
    if mass is not None and mass > 0.02:
        yield Verdict(
            "fair",
            f"{mass:.0%} of the model lies where the target has nothing",
            "The model's exact mass outside the smallest region that holds 99.9 % of the target.",
        )


def _caution(snapshot: Snapshot) -> Iterator[Verdict]:
    recipe = snapshot.recipe
    if said := recipe.estimator.misfit(recipe.energy):
        yield Verdict("fair", said, "This estimator is allowed with this energy, since its failure teaches.")
    if snapshot.warning:
        yield Verdict("fair", snapshot.warning, "What the data tell against this estimator as it is set.")
    for path, component in components(recipe):
        if said := component.caution():
            yield Verdict("fair", said, f"This is allowed, since its failure teaches; see {path}.")


def _bounds(snapshot: Snapshot) -> Iterator[Verdict]:
    figures = snapshot.figures
    if figures is not None and figures.bounds and figures.nll is not None:
        said = " ≤ ".join(f"{name} {value:.2f}" for name, value in figures.bounds)
        text = f"{said} ≤ exact {-figures.nll:.2f}".replace("-", "−")
        yield Verdict("good", text, "The bounds on the mean log-likelihood beside the exact one, by quadrature.")


def _stale(snapshot: Snapshot) -> Iterator[Verdict]:
    figures = snapshot.figures
    if figures is None:
        yield Verdict("fair", "exact figures are on their way", "The first integration has not finished.")
    elif snapshot.step - figures.step > max(3 * snapshot.steps_per_second, 20):
        yield Verdict("fair", f"figures are of step {figures.step:,}", "They lag more than three seconds behind.")


JUDGES: tuple[Callable[[Snapshot], Iterator[Verdict]], ...] = (
    _failure,
    _temperature,
    _normalisable,
    _precision,
    _stability,
    _mixing,
    _occupancy,
    _spurious,
    _caution,
    _bounds,
    _stale,
)


def scientific(x: float) -> str:
    """Writes a small number as people read it: 2·10⁻⁷."""

    if x == 0 or 1e-3 <= abs(x) < 1e3:
        return f"{x:.2g}"
    mantissa, exponent = f"{x:.0e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
