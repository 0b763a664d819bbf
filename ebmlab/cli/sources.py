"""What RECIPE, RUN, ``--set`` and ``--match`` stand for."""

from __future__ import annotations

import argparse
import sys
import zipfile
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import torch

from ebmlab.assets import gallery
from ebmlab.engine.energies import matched
from ebmlab.session.archive import load_run
from ebmlab.session.checkpoint import open_run
from ebmlab.session.gallery import Course, find_exhibit
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.share import from_link, is_link
from ebmlab.session.zipped import SUFFIX
from ebmlab.spec import BadInput, Component, Registry, amend

C = TypeVar("C", bound=Component)


WEIGHTS = ".safetensors"
"""How the names of weights end that `ebmlab export` has written."""
STEPS = 2000
"""How long a recipe is trained that does not come from the gallery."""


def read_course(name: str | None) -> Course:
    """Returns what is trained: a recipe from a file, the gallery, a link or standard input (``-``); else the default.

    ``NAME/RIVAL`` is another run of the exhibit NAME.

    Raises:
        BadInput: If there is none of that name, or it is broken.
    """

    if name is None:
        return Course(recipe=Recipe(), steps=STEPS)
    if name == "-":
        text = _standard_input()
        if is_link(text):
            return Course(recipe=from_link(text), steps=STEPS)
        return Course(recipe=Recipe.loads(text, source="standard input", base=Path.cwd()), steps=STEPS)
    if is_link(name):
        return Course(recipe=from_link(name), steps=STEPS)
    if Path(name).exists() or Path(name).suffix:
        return Course(recipe=Recipe.load(name), steps=STEPS)
    recipes = gallery()
    if name.partition("/")[0] not in recipes:
        near = get_close_matches(name, recipes, n=2) or list(recipes)[:6]
        mend = f"did you mean {' or '.join(near)}?" if near else "give a recipe file"
        raise BadInput(f"there is no such file, nor a recipe of that name in the gallery; {mend}", source=name[:200])
    return find_exhibit(name)[1]


def read_recipe(name: str | None) -> Recipe:
    """Returns the recipe of :func:`read_course`."""

    return read_course(name).recipe


def read_session(args: argparse.Namespace) -> Session:
    """Returns the session of a saved run, or a fresh one of a recipe, as the other arguments amend it."""

    return open_amended(read_run(args.run, timeline=False), args)


def open_amended(run: Run, args: argparse.Namespace) -> Session:
    """Returns the session of a run, as the other arguments amend its recipe."""

    torch.set_num_threads(1)
    recipe = amended(run.recipe, args)
    state = run.state if recipe == run.recipe else None  # another recipe has only the weights in common
    return open_run(replace(run, recipe=recipe, state=state), args.device)


def read_run(name: str, timeline: bool = True) -> Run:
    """Returns a saved run, with its timeline or without, or a recipe as a run of no steps."""

    if Path(name).suffix.lower() == WEIGHTS and not is_link(name):
        from ebmlab.record.export import load_weights  # here, since it is seldom wanted and slow to import

        return load_weights(name)
    return load_run(name, timeline) if is_run(name) else Run(recipe=read_recipe(name))


def is_run(name: str) -> bool:
    """Returns whether a name is that of a saved run, or of what should be one."""

    path = Path(name)
    if is_link(name):  # it may be longer than any path
        return False
    return path.is_dir() or path.suffix.lower() == SUFFIX or (path.is_file() and zipfile.is_zipfile(path))


def amended(recipe: Recipe, args: argparse.Namespace) -> Recipe:
    """Returns the recipe with each ``PATH=VALUE`` put in, and then with the energy at the size of ``--match``.

    Raises:
        BadInput: If a path leads nowhere, a value will not do, or no size of the energy has that many parameters.
    """

    for setting in args.settings:
        path, equals, value = setting.partition("=")
        if not (equals and path):
            raise BadInput(
                "there is no value; give PATH=VALUE, such as estimator.steps=5", source=f"--set {setting[:80]}"
            )
        try:
            recipe = amend(recipe, path, value)
        except BadInput as fault:
            raise fault.within(source="--set") from None
    return recipe if args.match is None else _matching(recipe, args.match)


def _matching(recipe: Recipe, parameters: int) -> Recipe:
    try:
        return replace(recipe, energy=matched(recipe.energy, parameters))
    except BadInput as fault:
        raise fault.within(source="--match") from None


def component(registry: Registry[C], kind: str, option: str) -> C:
    """Returns a component of a kind with its defaults.

    Raises:
        BadInput: If there is no such kind.
    """

    try:
        return registry.find(kind)()
    except BadInput as fault:
        raise fault.within(source=option) from None


def _standard_input() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise BadInput("this is not text; give a recipe in JSON", source="standard input") from None
