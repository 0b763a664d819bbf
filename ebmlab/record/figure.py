"""A picture of a session for where there is no window: target, energy, model and difference, with the exact figures."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ebmlab.engine.types import chunks
from ebmlab.engine.window import Lattice
from ebmlab.record import colours
from ebmlab.record.raster import Levels, Raster
from ebmlab.session.session import Session

PANE, GAP, HEAD, TITLE, LINE = 440, 16, 30, 56, 22
LATTICE = 160
DEPTH = 12.0  # energies further above the lowest recede into the background
FIGURES = (
    ("log_z", "log Z"),
    ("nll", "NLL"),
    ("entropy", "H(p)"),
    ("kl", "KL(p, model)"),
    ("reverse_kl", "KL(model, p)"),
    ("fisher", "Fisher divergence"),
    ("border_mass", "mass at the border"),
)


class Pane(NamedTuple):
    """One of the four pictures."""

    title: str
    note: str
    picture: np.ndarray | None  # (rows, columns, 3); None where there is nothing to show


def save_figure(
    session: Session, path: str | os.PathLike[str], evaluation: Mapping[str, Any], dark: bool = True
) -> None:
    """Draws a session and its exact figures into a PNG file, beside and renamed.

    Arguments:
        session: What to draw.
        path: The file.
        evaluation: The exact figures, as ``ebmlab evaluate --json`` prints them.
        dark: Whether the background is dark.
    """

    path = Path(path)
    beside = path.with_name(path.name + ".part")
    draw_figure(session, evaluation, dark).save(beside, format="PNG")
    beside.replace(path)


def draw_figure(session: Session, evaluation: Mapping[str, Any], dark: bool = True) -> Image.Image:
    """Returns the picture: two by two panes under a title, over the figures as text."""

    lines = _lines(evaluation)
    width = 2 * PANE + 3 * GAP
    height = TITLE + 2 * (HEAD + PANE + GAP) + LINE * len(lines) + GAP
    sheet = Image.new("RGB", (width, height), "#15171b" if dark else "#f4f5f7")
    ink, muted = ("#f2f3f5", "#8d95a3") if dark else ("#15181d", "#667080")
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, 16), _title(session), ink, _font(22))
    for i, pane in enumerate(_panes(session, evaluation.get("log_z"), dark)):
        corner = GAP + i % 2 * (PANE + GAP), TITLE + i // 2 * (HEAD + PANE + GAP)
        _place(sheet, pane, corner, (ink, muted, colours.BACKGROUND[dark]))
    for i, line in enumerate(lines):
        pen.text((GAP, height - GAP - LINE * (len(lines) - i)), line, muted if i else ink, _font(16))
    return sheet


def draw_thumbnail(session: Session, log_z: float | None, side: int = 132) -> Image.Image:
    """Returns a small picture: the target beside the model's density, or the energy where there is none.

    Arguments:
        session: What to draw.
        log_z: The exact log Z, None where it is withheld.
        side: Height, and width of either half, in pixels.
    """

    panes = {pane.title: pane.picture for pane in _panes(session, log_z, dark=True)}
    model = panes["Model"]
    sheet = Image.new("RGB", (2 * side + 2, side), "#2e333c")
    for i, picture in enumerate((panes["Target"], panes["Energy"] if model is None else model)):
        assert picture is not None  # of target and energy there always is one
        half = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(half, (i * (side + 2), 0))
    return sheet.quantize(256, dither=Image.Dither.NONE)


def thumbnail(session: Session, evaluation: Mapping[str, Any]) -> bytes:
    """Returns the small picture as PNG."""

    content = io.BytesIO()
    draw_thumbnail(session, evaluation.get("log_z")).save(content, "PNG")
    return content.getvalue()


def _place(sheet: Image.Image, pane: Pane, corner: tuple[int, int], shades: tuple[str, str, str]) -> None:
    ink, muted, ground = shades
    x, y = corner
    pen, bold = ImageDraw.Draw(sheet), _font(17)
    pen.text((x, y + 4), pane.title, ink, bold)
    pen.text((x + pen.textlength(pane.title, bold) + 12, y + 6), pane.note, muted, _font(15))
    if pane.picture is None:
        pen.rectangle((x, y + HEAD, x + PANE - 1, y + HEAD + PANE - 1), ground)
        return
    sheet.paste(Image.fromarray(pane.picture), (x, y + HEAD))


@torch.no_grad()
def _panes(session: Session, log_z: float | None, dark: bool) -> list[Pane]:
    window = session.recipe.window
    points = Lattice(window, LATTICE, LATTICE).points()
    energy = torch.cat([session.energy(x).cpu() for x in chunks(points)]).view(LATTICE, LATTICE).double().numpy()
    target = np.exp(session.density.log_density(points).view(LATTICE, LATTICE).double().numpy())
    top, lowest = float(target.max()), float(np.nanmin(energy))
    raster = Raster(PANE, PANE)

    def pane(title: str, note: str, field: np.ndarray, levels: Levels, shades: np.ndarray) -> Pane:
        return Pane(title, note, shades[raster.enlarge(field, levels, window, window)])

    deep = Levels(lowest + DEPTH, lowest)
    panes = [
        pane("Target", "p(x)", target, Levels(0.0, top), colours.density(dark)),
        pane("Energy", f"E(x), the lowest {DEPTH:g} nats", energy, deep, colours.energy(dark)),
    ]
    if log_z is None:
        return [*panes, *(Pane(title, "log Z is not settled: see below", None) for title in ("Model", "Difference"))]
    model = np.exp(-energy - log_z)
    gap = model - target
    most = max(float(np.abs(gap).max()), 1e-12)
    full, note = Levels(0.0, max(top, float(model.max()))), f"model - target, within {most:.2g}"
    return [
        *panes,
        pane("Model", "exp(-E) / Z", model, full, colours.density(dark, True)),
        pane("Difference", note, gap, Levels.about_zero(most), colours.difference(dark)),
    ]


def _title(session: Session) -> str:
    recipe = session.recipe
    kinds = " / ".join((recipe.target.kind, recipe.energy.kind, recipe.estimator.kind))
    return f"{kinds}   step {session.count}   seed {recipe.seed}"


def _lines(evaluation: Mapping[str, Any]) -> list[str]:
    why = evaluation.get("why") or {}
    error = evaluation.get("log_z_error")
    given = [
        f"{name} {evaluation[key]:.5g}" + (f" ± {error:.0e}" if key == "log_z" and error else "")
        for key, name in FIGURES
        if evaluation.get(key) is not None
    ]
    rows = ["     ".join(given[:4]), "     ".join(given[4:])]
    reasons = dict.fromkeys(
        f"no {name}: {why[key]}" for key, name in FIGURES if evaluation.get(key) is None and key in why
    )
    modes = evaluation.get("modes") or []
    masses = [f"({m['x']:.2g}, {m['y']:.2g}) {m['target_mass']:.3f}" + _model_mass(m) for m in modes[:4]]
    rows += ["mass of each mode, target and model:   " + "     ".join(masses)] if masses else []
    return [row for row in [*rows, *list(reasons)[:3]] if row]


def _model_mass(mode: Mapping[str, Any]) -> str:
    return "" if mode["model_mass"] is None else f" / {mode['model_mass']:.3f}"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
