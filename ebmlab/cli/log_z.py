from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import torch

from ebmlab.cli.output import Progress, number, show_json, table
from ebmlab.cli.sources import amended, component, read_run
from ebmlab.engine.logz import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.quadrature import lattice_sampler
from ebmlab.session.checkpoint import open_run
from ebmlab.session.session import Session
from ebmlab.session.streams import Streams
from ebmlab.spec import BadInput


def run(args: argparse.Namespace) -> int:
    """Estimates log Z by every method of the recipe, or by those named, and sets them beside the exact value."""

    torch.set_num_threads(1)
    found = read_run(args.run, timeline=False)
    recipe = found.recipe
    if args.method:
        recipe = replace(recipe, log_z=tuple(component(LOG_ZS, kind, "--method") for kind in args.method))
    session = open_run(replace(found, recipe=amended(recipe, args)), args.device)
    exact = session.evaluate().to_json()
    scene = _scene(session)
    estimates = [_estimate(session, scene, i) for i in range(len(session.recipe.log_z))]
    if args.json:
        show_json(_answer(exact, estimates))
    else:
        _show(exact, estimates)
    return 0


def _scene(session: Session) -> Scene:
    like = torch.empty(0, session.density.dim, device=session.device)
    window = session.recipe.window
    exact = lattice_sampler(session.net, window, like) if session.density.dim == 2 else None
    return Scene(session.net, like, window, session.density.dim, exact, session.density.sample)


def _estimate(session: Session, scene: Scene, index: int) -> dict[str, Any]:
    method = session.recipe.log_z[index]
    rng = Streams(session.recipe.seed, session.device).fresh(f"log-z/{index}", session.device)
    start = time.perf_counter()
    try:
        last = _last(method, scene, rng)
    except BadInput as fault:
        raise fault.within(key=f"log_z.{index}") from None
    return {
        "method": method.kind,
        "log_z": last.value,
        "stderr": last.stderr,
        "bound": last.bound,
        "energy_evaluations": last.evaluations,
        "seconds": time.perf_counter() - start,
        **({"warning": last.warning} if last.warning else {}),
    }


def _last(method: LogZMethod, scene: Scene, rng: torch.Generator) -> LogZ:
    progress = Progress(100, f"% of {method.kind}")
    for estimate in method.run(scene, rng):
        progress(int(100 * estimate.progress))
    progress.close()
    return estimate


def _answer(exact: dict[str, Any], estimates: list[dict[str, Any]]) -> dict[str, Any]:
    why = (exact.get("why") or {}).get("log_z")
    answer = {"log_z": exact["log_z"], "error": exact["log_z_error"], **({"why": why} if why else {})}
    return {"exact": answer, "estimates": estimates}


def _show(exact: dict[str, Any], estimates: list[dict[str, Any]]) -> None:
    why = (exact.get("why") or {}).get("log_z", "")
    rows = [("exact", f"{number(exact['log_z'], why)} ± {number(exact['log_z_error'])}")]
    for e in estimates:
        bound = f"  {e['bound']} bound" if e["bound"] else ""
        cost = f"  {e['energy_evaluations']} energies, {e['seconds']:.2f} s"
        text = f"{number(e['log_z'])} ± {number(e['stderr'])}{bound}{cost}"
        rows.append((e["method"], text + (f"  ({e['warning']})" if "warning" in e else "")))
    table(rows)
