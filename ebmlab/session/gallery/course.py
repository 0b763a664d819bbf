"""A course: a recipe, how long it is trained, and what is edited on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ebmlab.session.gallery.measures import Measure
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Diverged, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One run of an exhibit.

    Arguments:
        recipe: What it starts with.
        steps: How many steps it is trained.
        edits: Recipes that take the place of the first, each with the step before which it does.
        measures: What is measured at the end, besides the exact figures.
    """

    recipe: Recipe
    steps: int
    edits: tuple[tuple[int, Recipe], ...] = ()
    measures: tuple[Measure, ...] = ()

    def train(self, session: Session) -> Iterator[float]:
        """Trains a fresh session of the recipe, yielding its progress in [0, 1].

        Raises:
            Diverged: If a number is not finite. The session stays as it was before the step that failed.
        """

        edits = dict(self.edits)
        for step in range(self.steps):
            if step in edits:
                session.edit(edits[step])
            session.step()
            yield (step + 1) / self.steps


def complete(course: Course, session: Session) -> Iterator[float]:
    """Trains as far as the course goes; one that diverges ends where it did, which is what it may have to show."""

    try:
        yield from course.train(session)
    except Diverged:
        yield 1.0
