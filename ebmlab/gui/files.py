"""What can be opened, dropped or pasted, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QMimeData, QStandardPaths
from PySide6.QtGui import QImage

from ebmlab.engine.targets import TARGETS, Target
from ebmlab.session.archive import load_run
from ebmlab.session.files import PICTURES, POINTS, Files, parse_points
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.share import from_link, is_link
from ebmlab.session.zipped import SUFFIX
from ebmlab.spec import BadInput

WEIGHTS = ".safetensors"
"""Ending of a trained energy that was exported with its recipe."""
MOST_PASTED = 20_000
"""Rows of pasted text; a recipe holds them all."""

tr = QCoreApplication.translate


class Opened(NamedTuple):
    """What came of a file."""

    recipe: Recipe
    path: str  # the document's own file; empty where there is none to save it to again
    label: str  # what undo calls it; empty where a document begins
    run: Run | None = None  # whose weights to go on from


def opened(path: str, current: Recipe) -> Opened:
    """Returns what a file makes of the current recipe: another recipe, or the same with another target.

    Raises:
        BadInput: If the file is missing, broken, or of no kind that the lab knows. Nothing has changed then.
    """

    ending = Path(path).suffix.lower()
    if ending == SUFFIX or Path(path).is_dir():
        run = load_run(path)
        return Opened(checked(run.recipe, path), path, "", run)
    if ending == ".json":
        return Opened(checked(Recipe.load(path), path), path, "")
    if ending == WEIGHTS:
        from ebmlab.record.export.weights import load_weights  # here, since it reads half of torch's exporters

        run = load_weights(path)
        return Opened(checked(run.recipe, path), "", "", run)
    if ending in POINTS + PICTURES:
        kind = "points" if ending in POINTS else "image"
        target = TARGETS[kind](path=str(Path(path).absolute()))  # type: ignore[call-arg]
        return Opened(with_target(current, target, path), "", tr("Files", "Import target"))
    known = ", ".join((".json", SUFFIX, WEIGHTS, *POINTS, *PICTURES))
    raise BadInput(f"no kind of file ends in {ending or 'nothing'}; give one that ends in {known}", source=path)


def pasted(data: QMimeData, current: Recipe) -> Opened | None:
    """Returns what dropped or pasted data make of the current recipe; None if there is nothing that the lab takes.

    Raises:
        BadInput: If they are of a kind that the lab takes, but broken. The message names the row or the shape.
    """

    files = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    if files:
        return opened(files[0], current)
    label = tr("Files", "Paste target")
    if data.hasImage() and isinstance(image := data.imageData(), QImage) and not image.isNull():
        target = TARGETS["image"](path=kept(image))  # type: ignore[call-arg]
        return Opened(with_target(current, target, ""), "", label)
    text = data.text().strip() if data.hasText() else ""
    if is_link(text):
        return Opened(checked(from_link(text), ""), "", tr("Files", "Paste link"))
    if text.startswith("{"):
        recipe = Recipe.loads(text, source=tr("Files", "the pasted text"))
        return Opened(checked(recipe, ""), "", tr("Files", "Paste recipe"))
    if text:
        return Opened(with_target(current, pasted_points(text), ""), "", label)
    return None


def pasted_points(text: str) -> Target:
    """Returns the target of points in pasted text, one a line.

    Raises:
        BadInput: If there are none, too many, or some are not numbers. The message names the row.
    """

    source = tr("Files", "the pasted text")
    try:
        points = parse_points(text)
    except BadInput as fault:
        raise fault.within(source=source) from None
    if len(points) > MOST_PASTED:
        raise BadInput(f"there are {len(points):,} rows; import more than {MOST_PASTED:,} from a file", source=source)
    return TARGETS["points"](values=tuple(map(tuple, points.tolist())))  # type: ignore[call-arg]


def with_target(recipe: Recipe, target: Target, source: str) -> Recipe:
    """Returns the recipe with another target, which is made once to see that it can be."""

    return checked(replace(recipe, target=target), source)


def checked(recipe: Recipe, source: str) -> Recipe:
    """Returns a recipe whose target can be made.

    Raises:
        BadInput: If it cannot, so that what is on the screen stays as it was.
    """

    try:
        recipe.target.build(Files(), recipe.window)
    except BadInput as fault:
        raise fault if fault.source else fault.within(source=source) from None
    return recipe


def kept(image: QImage) -> str:
    """Keeps a pasted picture as a file, since a recipe names its pictures; returns the path."""

    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)
    folder = Path(place) / "pasted"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{image.cacheKey():x}.png"
    if not image.save(str(path)):
        raise BadInput("the picture cannot be kept; free some space there", source=str(folder))
    return str(path)
