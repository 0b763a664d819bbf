from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ebmlab.cli.main import Failed
from ebmlab.cli.output import Progress, show_json
from ebmlab.cli.sources import component, read_session
from ebmlab.engine.samplers import SAMPLERS, ExactSampler, Sampler
from ebmlab.engine.window import uniform
from ebmlab.session.session import Session
from ebmlab.session.streams import Streams
from ebmlab.spec import BadInput


def run(args: argparse.Namespace) -> int:
    """Draws points: chains that start uniformly in the window, moved so many times each."""

    path = Path(args.out)
    _check(path)
    if args.sampler:
        component(SAMPLERS, args.sampler, "--sampler")
        args.settings = [f"sampler={args.sampler}", *args.settings]
    session = read_session(args)
    sampler = session.recipe.sampler
    steps = args.steps or _transitions(sampler)
    points = draw(session, sampler, args.n, steps)
    lost = int((~points.isfinite()).any(-1).sum())
    if lost:
        raise Failed(f"{lost} of {args.n} chains ran off to infinity; turn down sampler.step_size")
    save(points.cpu().numpy(), path)
    if args.json:
        show_json({"points": args.n, "sampler": sampler.kind, "steps": steps})
    else:
        print(f"saved {args.n} points in {args.out}")
    return 0


def draw(session: Session, sampler: Sampler, n: int, steps: int) -> Tensor:
    """Returns the ends of n chains, with shape (n, 2)."""

    if session.density.dim != 2:
        raise BadInput(f"the target has {session.density.dim} dimensions; give one in the plane", key="target")
    rng = Streams(session.recipe.seed, session.device).fresh("sample", session.device)
    like = torch.empty(0, device=session.device)
    progress = Progress(steps, "transitions")
    chains = sampler.init(session.net, uniform(session.recipe.window, n, rng, like))
    for done in range(1, steps + 1):
        chains, _ = sampler.step(session.net, chains, rng)
        progress(done)
    progress.close()
    return chains.x


def save(points: np.ndarray, path: Path) -> None:
    """Writes points to a .npy or .csv file, beside and renamed."""

    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        if path.suffix.lower() == ".npy":
            np.save(file, points)
        else:
            np.savetxt(file, points, fmt="%.9g", delimiter=",", header="x,y", comments="")
    beside.replace(path)


def _transitions(sampler: Sampler) -> int:
    """Returns how many transitions forget the start; exact draws know nothing of it."""

    return 1 if isinstance(sampler, ExactSampler) else 1000


def _check(path: Path) -> None:
    if path.suffix.lower() not in (".npy", ".csv"):
        raise BadInput("the points go to a .npy or .csv file; end the name in either", source=str(path))
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise BadInput("there is no such folder to save in, or this is one; name a file", source=str(path))
