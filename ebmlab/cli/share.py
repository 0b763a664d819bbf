from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from ebmlab.cli.output import show_json
from ebmlab.cli.sources import amended, is_run, read_course
from ebmlab.session.archive import load_run
from ebmlab.session.gallery import Course
from ebmlab.session.share import command, link, script

FORMS: dict[str, Callable[[Course], str]] = {
    "link": lambda course: link(course.recipe),
    "python": lambda course: script(course.recipe, course.steps),
    "command": lambda course: command(course.recipe, course.steps),
    "recipe": lambda course: course.recipe.dumps(),
}


def run(args: argparse.Namespace) -> int:
    """Prints a recipe in a form to pass on."""

    course = _course(args.recipe)
    recipe = amended(course.recipe, args)
    text = FORMS[args.form](Course(recipe=recipe, steps=course.steps)).rstrip("\n")
    if args.json:
        show_json({"form": args.form, "text": text, "recipe": json.loads(recipe.dumps())})
    else:
        print(text)
    return 0


def _course(name: str | None) -> Course:
    """Returns a recipe, that of a saved run too, with the steps that it is trained."""

    if name is None or not is_run(name):
        return read_course(name)
    saved = load_run(name, timeline=False)
    return Course(recipe=saved.recipe, steps=saved.step)
