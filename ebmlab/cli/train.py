from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ebmlab.cli.evaluate import show_figures
from ebmlab.cli.main import Failed
from ebmlab.cli.output import Progress, finite, show_json
from ebmlab.cli.sources import amended, read_course
from ebmlab.record.figure import save_figure
from ebmlab.session.checkpoint import check_free, save_run
from ebmlab.session.gallery import Course
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Diverged, Session
from ebmlab.spec import BadInput


def run(args: argparse.Namespace) -> int:
    """Trains a recipe, saves the run, and gives its exact figures.

    A run that diverges is saved as it was before the step that failed.
    """

    torch.set_num_threads(1)
    course = read_course(args.recipe)
    course = replace(
        course,
        recipe=_asked_for(course.recipe, args),
        steps=course.steps if args.steps is None else args.steps,
        edits=tuple((step, _asked_for(recipe, args)) for step, recipe in course.edits),
    )
    check_free(Path(args.out))
    _check_picture(args.picture)
    session = Session(course.recipe, args.device)
    seconds, failure = _train(session, course)
    evaluation = finite(session.evaluate().to_json())
    save_run(session, args.out, evaluation)
    if args.picture:
        save_figure(session, args.picture, evaluation)
    _report(session, seconds, failure, evaluation, args.json)
    if failure:
        raise Failed(f"{failure}; {args.out} holds the weights of step {session.count}")
    if not args.json:
        print(f"saved in {args.out}")
    return 0


def _asked_for(recipe: Recipe, args: argparse.Namespace) -> Recipe:
    """Returns the recipe as ``--set``, ``--match`` and ``--seed`` amend it."""

    recipe = amended(recipe, args)
    return recipe if args.seed is None else replace(recipe, seed=args.seed)


def _train(session: Session, course: Course) -> tuple[float, str]:
    """Takes the steps; returns how many seconds they took, and why they ended early."""

    progress = Progress(course.steps)
    start = time.perf_counter()
    failure = ""
    try:
        for _ in course.train(session):
            progress(session.count)
    except Diverged as fault:
        failure = str(fault)
    finally:
        progress.close()
    return time.perf_counter() - start, failure


def _report(session: Session, seconds: float, failure: str, evaluation: dict[str, Any], as_json: bool) -> None:
    speed = session.count / seconds if seconds > 0 else None
    if as_json:
        show_json(
            {
                "steps": session.count,
                "seconds": seconds,
                "steps_per_second": speed,
                "diverged": bool(failure),
                **({"why": failure} if failure else {}),
                "device": str(session.device),
                "evaluation": evaluation,
            }
        )
        return
    print(f"{session.count} steps in {seconds:.1f} s on {session.device}, {speed or 0:.0f} a second")
    show_figures(evaluation)


def _check_picture(path: str | None) -> None:
    if path is not None and Path(path).suffix.lower() != ".png":
        raise BadInput("this is no name for the picture; end it in .png", key="--picture", source=path[:200])
