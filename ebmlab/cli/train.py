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
from ebmlab.cli.sources import STEPS, amended, is_run, read_course
from ebmlab.record.figure import save_figure, thumbnail
from ebmlab.session.archive import check_free, load_run, write_run
from ebmlab.session.checkpoint import open_run
from ebmlab.session.gallery import Course
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder
from ebmlab.session.run import Run
from ebmlab.session.session import Diverged, Session
from ebmlab.spec import BadInput, rebuilds


def run(args: argparse.Namespace) -> int:
    """Trains a recipe, or goes on with a saved run, saves it with its timeline, and gives its exact figures.

    A run that diverges is saved as it was before the step that failed.
    """

    torch.set_num_threads(1)
    course, recorder = _begun(args)
    session = recorder.session
    check_free(Path(args.out))
    _check_picture(args.picture)
    failure = _train(recorder, course)
    evaluation = finite(session.evaluate().to_json())
    write_run(replace(recorder.run(), evaluation=evaluation, thumbnail=thumbnail(session, evaluation)), args.out)
    if args.picture:
        save_figure(session, args.picture, evaluation)
    _report(recorder, failure, evaluation, args.json)
    if failure:
        raise Failed(f"{failure}; {args.out} holds the weights of step {session.count}")
    if not args.json:
        print(f"saved in {args.out}")
    return 0


def _begun(args: argparse.Namespace) -> tuple[Course, Recorder]:
    """Returns what is to be trained, and a session at its beginning, or where a saved run stood."""

    if args.recipe is not None and is_run(args.recipe):
        return _resumed(load_run(args.recipe), args)
    course = read_course(args.recipe)
    course = replace(
        course,
        recipe=_asked_for(course.recipe, args),
        steps=course.steps if args.steps is None else args.steps,
        edits=tuple((step, _asked_for(recipe, args)) for step, recipe in course.edits),
    )
    return course, Recorder(Session(course.recipe, args.device))


def _resumed(run: Run, args: argparse.Namespace) -> tuple[Course, Recorder]:
    """Returns a session that goes on from a run, its recipe edited as the arguments say."""

    session, recipe = open_run(run, args.device), _asked_for(run.recipe, args)
    if recipe != run.recipe and not session.edit(recipe):
        path = min(rebuilds(run.recipe, recipe))
        raise BadInput("this cannot change while a run goes on; train its recipe afresh", key=path, source="--set")
    recorder = Recorder(session)
    recorder.resume(run)
    return Course(recipe=recipe, steps=STEPS if args.steps is None else args.steps), recorder


def _asked_for(recipe: Recipe, args: argparse.Namespace) -> Recipe:
    """Returns the recipe as ``--set``, ``--match`` and ``--seed`` amend it."""

    recipe = amended(recipe, args)
    return recipe if args.seed is None else replace(recipe, seed=args.seed)


def _train(recorder: Recorder, course: Course) -> str:
    """Takes the steps; returns why they ended early."""

    progress, session = Progress(course.steps), recorder.session
    first = session.count
    start, failure = time.perf_counter(), ""
    recorder.note()
    try:
        for _ in course.train(session):
            recorder.note()
            progress(session.count - first)
    except Diverged as fault:
        failure = str(fault)
    finally:
        progress.close()
    recorder.seconds += time.perf_counter() - start
    return failure


def _report(recorder: Recorder, failure: str, evaluation: dict[str, Any], as_json: bool) -> None:
    session, seconds = recorder.session, recorder.seconds
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
