from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from ebmlab.cli.output import Progress, number, show_json, table
from ebmlab.engine.dimension import METHODS, PROBLEMS, Row, study
from ebmlab.engine.logz import LOG_ZS
from ebmlab.record.study import save_study
from ebmlab.session.survey import Plan
from ebmlab.spec import BadInput, Component, amend, encode

Timed = tuple[Row, float]
"""What a method has found, and the seconds that it took."""


def run(args: argparse.Namespace) -> int:
    """Asks methods of log Z about an energy of known log Z, in ever more dimensions."""

    torch.set_num_threads(1)
    plan = planned(args)
    for kind in args.method or ():
        _find(LOG_ZS.find, kind, "--method")
    _check_picture(args.picture)
    found: list[Timed] = []
    for row, seconds in worked(plan, args.method or METHODS):
        if not args.json:
            _show(row, seconds, heading=not found or found[-1][0].dim != row.dim)
        found.append((row, seconds))
    if args.json:
        show_json(_answer(plan, found))
    if args.picture:
        save_study([row for row, _ in found], args.picture, plan.problem.kind)
    return 0


def planned(args: argparse.Namespace) -> Plan:
    """Returns what was asked for.

    Raises:
        BadInput: If there is no such problem or knob, or a number will not do.
    """

    try:
        plan = Plan(dimensions=args.dims, budget=args.budget, seed=args.seed)
    except BadInput as fault:
        raise BadInput(fault.message, key="--dims" if fault.key == "dimensions" else f"--{fault.key}") from None
    plan = amend(plan, "problem", _find(PROBLEMS.find, args.problem, "--problem").kind)
    for setting in args.settings:
        path, equals, value = setting.partition("=")
        if not (equals and path):
            message = "there is no value; give PATH=VALUE, such as barrier=5"
            raise BadInput(message, source=f"--set {setting[:80]}")
        try:
            plan = amend(plan, f"problem.{path}", value)
        except BadInput as fault:
            raise fault.within(source="--set") from None
    return plan


def worked(plan: Plan, methods: Sequence[str]) -> Iterator[Timed]:
    """Yields what every method finds, as soon as it has, with a bar on a terminal meanwhile."""

    progress = Progress(1000, "‰")
    start = time.perf_counter()
    rng = torch.Generator().manual_seed(plan.seed)
    for step in study(plan.problem, methods, plan.dims(), rng, plan.budget):
        progress(int(1000 * step.share), step.text)
        if step.row is not None:
            progress.close()
            yield step.row, time.perf_counter() - start
            start = time.perf_counter()
    progress.close()


def _find(find: Any, kind: str, option: str) -> type[Component]:
    try:
        return find(kind)
    except BadInput as fault:
        raise fault.within(source=option) from None


def _check_picture(path: str | None) -> None:
    if path is not None and not path.lower().endswith(".png"):
        raise BadInput("this is no name for the picture; end it in .png", key="--picture", source=path[:200])
    if path is not None and not Path(path).parent.is_dir():
        raise BadInput("there is no such folder; give another path", key="--picture", source=path[:200])


def _show(row: Row, seconds: float, heading: bool) -> None:
    if heading:
        print(f"d = {row.dim}, log Z = {number(row.exact)}")
    table([(f"  {row.method}".ljust(2 + max(map(len, METHODS))), _words(row, seconds))])


def _words(row: Row, seconds: float) -> str:
    why = f"  ({row.why})" if row.why else ""
    if row.log_z != row.log_z:
        return f"none: {row.why}"
    share = f"  {100 * row.ess:.2g} % effective" if row.ess == row.ess else ""
    cost = f"{row.evaluations:,} energies, {seconds:.1f} s"
    return f"{number(row.log_z)} ± {number(row.stderr)}  off by {row.error:.2g}  {cost}{share}{why}"


def _answer(plan: Plan, found: Sequence[Timed]) -> dict[str, Any]:
    rows = [
        {
            "method": row.method,
            "dim": row.dim,
            "log_z": row.log_z,
            "stderr": row.stderr,
            "exact": row.exact,
            "error": row.error,
            "energy_evaluations": row.evaluations,
            "ess": row.ess,
            "seconds": seconds,
            **({"why": row.why} if row.why else {}),
        }
        for row, seconds in found
    ]
    return {"problem": encode(plan.problem), "budget": plan.budget, "seed": plan.seed, "rows": rows}
