"""What a pane may show: each kind turns the fields of a snapshot into one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ebmlab.paint.fields import Fields
from ebmlab.paint.words import QT_TRANSLATE_NOOP, translate
from ebmlab.record import colours
from ebmlab.record.raster import Levels
from ebmlab.session.snapshot import Field

DEPTH = 12.0
"""Nats above the least energy that have a colour; the confinement far out would eat the range otherwise."""

CONTOUR = 2.0
"""Nats from one contour line to the next."""


_DEPTHS = np.arange(CONTOUR, DEPTH + 1e-9, CONTOUR)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A field with its colours, or a sentence why there is none.

    Arguments:
        field: Values on the lattice of the lens, with shape (rows, columns).
        colours: A colour map, with shape (256, 3).
        levels: How values become colours.
        lines: The field whose contour lines belong to it.
        at: Where they run.
        bar: What the numbers at either end of the colour bar say, the receding end first.
        note: What stands in the middle instead of a picture.
    """

    field: np.ndarray | None = None
    colours: np.ndarray | None = None
    levels: Levels = Levels(0.0, 1.0)
    lines: np.ndarray | None = None
    at: tuple[float, ...] = ()
    bar: tuple[str, str] = ("", "")
    note: str = ""


class Show(NamedTuple):
    """A kind of picture, with what it needs and what lies over it at first."""

    title: str
    subtitle: str  # rich text
    help: str
    needs: frozenset[Field]
    overlays: frozenset[str]
    picture: Callable[[Fields, bool], Picture]
    solid: bool = False  # whether the field is seen as a surface, from a camera


def target(fields: Fields, dark: bool) -> Picture:
    """Shows the target density."""

    return _density(fields.target, _target_lines(fields), fields.top, colours.density(dark))


def model(fields: Fields, dark: bool) -> Picture:
    """Shows the model density, or says why there is none."""

    if fields.snapshot.energy is not None and fields.log_model is None:
        return _none(fields, translate("Canvas", "so the model has no density to show"))
    lines = _lines(fields.log_model, fields.model_peak)
    return _density(fields.model, lines, fields.top, colours.density(dark, model=True))


def energy(fields: Fields, dark: bool) -> Picture:
    """Shows the energy, low ones bright on dark."""

    floor, values = fields.floor, fields.snapshot.energy
    return Picture(
        field=values,
        colours=colours.energy(dark),
        levels=Levels(floor + DEPTH, floor),
        lines=values,
        at=tuple(floor + _DEPTHS),
        bar=("≥ " + number(floor + DEPTH), number(floor)),
    )


def difference(fields: Fields, dark: bool) -> Picture:
    """Shows the model density less the target density, on a scale that stays while both approach each other."""

    if fields.snapshot.energy is not None and fields.log_model is None:
        return _none(fields, translate("Canvas", "so there is no difference to show"))
    level = fields.top / 2
    return replace(
        _target_lines(fields),
        field=fields.difference,
        colours=colours.difference(dark),
        levels=Levels.about_zero(level),
        bar=(number(-level), number(level)),
    )


def change(fields: Fields, dark: bool) -> Picture:
    """Shows the model density less the one of the step that it is compared with, or says why there is none."""

    if fields.snapshot.pinned is None:
        return Picture(note=translate("Canvas", "nothing to compare with:\nshow a step of the timeline and press C"))
    if fields.snapshot.energy is not None and fields.log_model is None:
        return _none(fields, translate("Canvas", "so there is no change to show"))
    return replace(difference(fields, dark), field=fields.change)


def score(fields: Fields, dark: bool) -> Picture:
    """Shows nothing but background: the arrows are an overlay."""

    return _target_lines(fields)


def samples(fields: Fields, dark: bool) -> Picture:
    """Shows nothing by itself: the view counts the particles over time."""

    return _target_lines(fields)


def histogram(counts: np.ndarray, top: float, dark: bool, under: Picture) -> Picture:
    """Shows a density counted from particles, in the levels of the other densities."""

    clipped = bool(counts.max() > top)
    bar = ("0", ("≥ " if clipped else "") + number(top))
    return replace(under, field=counts, colours=colours.samples(dark), levels=Levels(0.0, top), bar=bar)


SHOWS: dict[str, Show] = {
    "target": Show(
        QT_TRANSLATE_NOOP("Canvas", "Target density"),
        QT_TRANSLATE_NOOP("Canvas", "p(x)"),
        QT_TRANSLATE_NOOP("Canvas", "Where the data come from."),
        frozenset({"target"}),
        frozenset({"data"}),
        target,
    ),
    "energy": Show(
        QT_TRANSLATE_NOOP("Canvas", "Energy"),
        QT_TRANSLATE_NOOP("Canvas", "E<sub>θ</sub>(x)"),
        QT_TRANSLATE_NOOP("Canvas", "The energy landscape; contour lines every 2 nats."),
        frozenset({"energy"}),
        frozenset({"contours", "particles"}),
        energy,
    ),
    "model": Show(
        QT_TRANSLATE_NOOP("Canvas", "Model density"),
        QT_TRANSLATE_NOOP("Canvas", "exp(−E<sub>θ</sub>)/Z · exact"),
        QT_TRANSLATE_NOOP("Canvas", "The model's density, by exact quadrature of Z."),
        frozenset({"energy", "target"}),
        frozenset(),
        model,
    ),
    "difference": Show(
        QT_TRANSLATE_NOOP("Canvas", "Difference"),
        QT_TRANSLATE_NOOP("Canvas", "p<sub>θ</sub> − p"),
        QT_TRANSLATE_NOOP("Canvas", "Red where the model has too much mass, blue where too little."),
        frozenset({"energy", "target"}),
        frozenset(),
        difference,
    ),
    "score": Show(
        QT_TRANSLATE_NOOP("Canvas", "Score field"),
        QT_TRANSLATE_NOOP("Canvas", "−∇E<sub>θ</sub>(x)"),
        QT_TRANSLATE_NOOP(
            "Canvas", "Which way Langevin dynamics drifts; the longer the arrow the stronger, up to a limit."
        ),
        frozenset(),
        frozenset({"score"}),
        score,
    ),
    "samples": Show(
        QT_TRANSLATE_NOOP("Canvas", "Sample histogram"),
        QT_TRANSLATE_NOOP("Canvas", "particles over time"),
        QT_TRANSLATE_NOOP("Canvas", "Where the particles have been of late."),
        frozenset(),
        frozenset(),
        samples,
    ),
    "change": Show(
        QT_TRANSLATE_NOOP("Canvas", "Change"),
        QT_TRANSLATE_NOOP("Canvas", "p<sub>θ</sub> − p<sub>θ</sub> of the step compared with"),
        QT_TRANSLATE_NOOP(
            "Canvas", "Red where the model has gained mass since the step compared with, blue where lost."
        ),
        frozenset({"energy", "target"}),
        frozenset(),
        change,
    ),
    "surface": Show(
        QT_TRANSLATE_NOOP("Canvas", "Energy surface"),
        QT_TRANSLATE_NOOP("Canvas", "E<sub>θ</sub>(x) · valleys hold mass"),
        QT_TRANSLATE_NOOP("Canvas", "The energy as a height; drag to turn it, the wheel brings it nearer."),
        frozenset({"energy"}),
        frozenset({"contours", "particles"}),
        energy,
        solid=True,
    ),
}


def number(value: float) -> str:
    """Returns three digits of a number, with a true minus sign."""

    text = f"{value:.3g}" if abs(value) < 1e5 else f"{value:.1e}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def _density(field: np.ndarray | None, under: Picture, top: float, shades: np.ndarray) -> Picture:
    clipped = field is not None and bool(field.max() > top)
    bar = ("0", ("≥ " if clipped else "") + number(top))
    return replace(under, field=field, colours=shades, levels=Levels(0.0, top), bar=bar)


def _target_lines(fields: Fields) -> Picture:
    return _lines(fields.snapshot.target, fields.target_peak)


def _lines(log: np.ndarray | None, peak: float) -> Picture:
    """Returns the contour lines of a log density, and no picture yet: every 2 nats below its peak."""

    if log is None:
        return Picture()
    return Picture(lines=log, at=tuple(peak - _DEPTHS[::-1]))


def _none(fields: Fields, so: str) -> Picture:
    """Says why there is no model density: log Z is not known yet, or there is none."""

    figures = fields.snapshot.figures
    if figures is None or not fields.unnormalisable:
        return Picture(note=translate("Canvas", "the exact log Z is on its way"))
    lines = [translate("Canvas", "exp(−E) cannot be normalised"), so]
    if reason := dict(figures.why).get("log_z"):
        lines.append(f"({reason})")
    return Picture(note="\n".join(lines))
