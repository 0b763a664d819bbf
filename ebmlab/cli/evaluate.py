from __future__ import annotations

import argparse
from typing import Any

from ebmlab.cli.output import number, show_json, table
from ebmlab.cli.sources import read_session

FIGURES = {
    "log_z": "log Z",
    "nll": "negative log-likelihood",
    "entropy": "entropy of the target",
    "kl": "KL(target || model)",
    "reverse_kl": "KL(model || target)",
    "fisher": "Fisher divergence",
    "border_mass": "mass at the border",
    "normalisable": "normalisable",
}


def run(args: argparse.Namespace) -> int:
    """Gives the exact figures of a run."""

    evaluation = read_session(args).evaluate().to_json()
    if args.json:
        show_json(evaluation)
    else:
        show_figures(evaluation)
    return 0


def show_figures(evaluation: dict[str, Any]) -> None:
    """Prints exact figures for people."""

    why = evaluation.get("why") or {}
    rows = [("step", number(evaluation["step"]))]
    for key, name in FIGURES.items():
        text = number(evaluation[key], why.get(key, "") if isinstance(why, dict) else "")
        error = evaluation.get("log_z_error")
        rows.append((name, f"{text} ± {error:.1g}" if key == "log_z" and evaluation[key] and error else text))
    rows += [
        (f"mode at ({m['x']:.3g}, {m['y']:.3g})", f"target {number(m['target_mass'])}, model {number(m['model_mass'])}")
        for m in evaluation["modes"]
    ]
    rows += [(f"log-likelihood, {name}", number(value)) for name, value in evaluation["bounds"].items()]
    rows += [(f"parameter {name}", number(value)) for name, value in evaluation["parameters"].items()]
    table(rows)
