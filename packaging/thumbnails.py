"""Draws the pictures of the gallery's cards, to assets/recipes/thumbnails: `make thumbnails`, or with names, those."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ebmlab.record.figure import draw_thumbnail
from ebmlab.session.gallery import Exhibit, exhibits
from ebmlab.session.gallery.course import complete
from ebmlab.session.session import Session

MOST = 400
"""Steps that show what an exhibit is about."""

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "recipes" / "thumbnails"


def main(names: Sequence[str]) -> None:
    """Draws the pictures of the named exhibits, or of all."""

    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for exhibit in exhibits():
        if not names or exhibit.name in names:
            size = draw(exhibit)
            print(f"{exhibit.number:3d} {exhibit.name}: {size / 1000:.1f} kB", flush=True)


def draw(exhibit: Exhibit) -> int:
    """Trains the exhibit's main run, draws it, and returns the size of the file."""

    course = replace(exhibit.courses[""], steps=min(exhibit.steps, MOST), edits=())
    session = Session(course.recipe, "cpu")
    for _ in complete(course, session):
        pass
    path = FOLDER / f"{exhibit.name}.png"
    draw_thumbnail(session, session.evaluate().log_z).save(path, optimize=True)
    return path.stat().st_size


if __name__ == "__main__":
    main(sys.argv[1:])
