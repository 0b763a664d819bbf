"""What can be done with the rows of the table of runs, and how a row is made."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QPushButton

from ebmlab.gui.panels.tried_columns import further, moment, tr
from ebmlab.session.snapshot import Snapshot
from ebmlab.session.tried import Tried


def buttons() -> dict[str, QPushButton]:
    """Returns the buttons below the table by name, from left to right."""

    made = {}
    for name, text, tip in (
        (
            "open",
            tr("Tried", "Open"),
            tr("Tried", "Opens the run where it stood, or its recipe if it is not kept (Enter)"),
        ),
        ("copy-recipe", tr("Tried", "Copy recipe"), tr("Tried", "Copies the recipe as JSON (Ctrl+C in the table)")),
        (
            "copy-link",
            tr("Tried", "Copy link"),
            tr("Tried", "Copies the recipe as one line that pastes back into a lab"),
        ),
        ("delete", tr("Tried", "Delete…"), tr("Tried", "Deletes the chosen runs of this lab, and their files (Del)")),
        ("sweep", tr("Tried", "Sweep…"), tr("Tried", "Opens the folder of a sweep and shows its runs instead")),
        ("export", tr("Tried", "Export table…"), tr("Tried", "Saves the runs that are listed as CSV")),
    ):
        made[name] = QPushButton(text)
        made[name].setObjectName(f"tried-{name}")
        made[name].setToolTip(tip)
    made["open"].setProperty("primary", True)
    return made


def under_way(snapshot: Snapshot) -> Tried:
    """Returns the run under way as a row."""

    figures = {} if snapshot.figures is None else snapshot.figures.to_json()
    return Tried(
        name="",
        recipe=snapshot.recipe,
        steps=snapshot.step,
        seconds=snapshot.seconds,
        figures=figures,
        diverged=snapshot.status == "failed",
        why=snapshot.reason,
    )


def spelled_out(row: Tried) -> Tried:
    """Returns a row whose knobs name its kinds and all else that a table of runs has columns for."""

    recipe = row.recipe
    when = [("when", moment(row.when))] if row.when else []
    kinds = [(name, getattr(recipe, name).kind) for name in ("target", "energy", "estimator")]
    fisher = [] if row.figure("fisher") is None else [("fisher", row.figure("fisher"))]
    rest = [(d.path, d.left) for d in further(recipe) if d.left]
    return replace(row, knobs=tuple(dict([*when, *kinds, ("seed", recipe.seed), *rest, *row.knobs, *fisher]).items()))
