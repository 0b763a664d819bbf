"""What the dialog of films and figures makes: pictures of steps, in threads of their own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage

from ebmlab.gui.panels.staging import Timing
from ebmlab.paint.figures import check_figure, lens_of, save_figure
from ebmlab.paint.film import film
from ebmlab.paint.layout import Layout
from ebmlab.paint.scene import Scene
from ebmlab.record.encoders import codecs, encoder_for
from ebmlab.record.film import Made, Progress, cut
from ebmlab.session.reel import Reel
from ebmlab.session.run import Run
from ebmlab.spec import BadInput

NONE = "none: "
"""What the list of codecs says before the sentence that tells what to install."""
tr = QCoreApplication.translate


class Kind(NamedTuple):
    """A format of films or figures."""

    title: str
    ending: str
    still: bool
    help: str

    @property
    def obstacle(self) -> str:
        """What has to be installed first, as a sentence; empty if nothing, or before the first picture was made."""

        known = _codecs() if _codecs.cache_info().currsize else {}
        said = "" if self.still else known.get(self.title, "")
        return said.removeprefix(NONE) if said.startswith(NONE) else ""


@cache
def _codecs() -> dict[str, str]:
    return codecs()


@cache
def kinds() -> dict[str, Kind]:
    """Returns the formats by name, films first."""

    return {
        "mp4": Kind("MP4", ".mp4", False, tr("Film", "Film that plays everywhere, in talks too.")),
        "webm": Kind("WebM", ".webm", False, tr("Film", "Film for web pages.")),
        "gif": Kind("GIF", ".gif", False, tr("Film", "Film of few colours that loops wherever pictures are shown.")),
        "webp": Kind("WebP", ".webp", False, tr("Film", "Film that loops in a web page, in all colours.")),
        "apng": Kind("APNG", ".apng", False, tr("Film", "Film that loops, exact to the last bit; large.")),
        "frames": Kind("PNG, one a picture", ".png", False, tr("Film", "Numbered pictures for a film editor.")),
        "png": Kind("PNG", ".png", True, tr("Film", "Figure of one step, for the screen.")),
        "svg": Kind("SVG", ".svg", True, tr("Film", "Figure of one step, for print: lines and text stay sharp.")),
        "pdf": Kind("PDF", ".pdf", True, tr("Film", "Figure of one step, for papers: lines and text stay sharp.")),
        "csv": Kind("CSV", ".csv", True, tr("Film", "What the figure is drawn from, as numbers for a spreadsheet.")),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What is filmed.

    Arguments:
        layout: What stands in the picture.
        step: The step of a figure.
        first: The step that a film begins with.
        last: The step that it ends with.
        timing: How fast it goes.
    """

    layout: Layout
    step: int
    first: int
    last: int
    timing: Timing


def still(reel: Reel, step: int, layout: Layout) -> QImage:
    """Returns a picture of a step; finds out about the codecs by the way, which takes a while."""

    _codecs()
    scene = Scene(layout, reel.recipe_at(step).window)
    return scene.image(reel.snapshot(step, scene.lens))


def drawn(run: Run, shot: Shot, path: str) -> Generator[Progress, None, Made]:
    """Draws a figure of a step, or writes down its numbers, as the path's ending says.

    Raises:
        BadInput: If something is in the way, or the panes find no room.
    """

    place, reel, layout = Path(path), Reel(run), shot.layout
    check_figure(place)
    yield from _completed(reel)
    snapshot = reel.snapshot(shot.step, lens_of(layout, reel.recipe_at(shot.step).window))
    save_figure(layout, snapshot, place)
    return Made(place, 1, 0.0)


def filmed(run: Run, shot: Shot, path: str) -> Generator[Progress, None, Made]:
    """Films a run; yields how far it is.

    Raises:
        BadInput: If something is missing or in the way, or the panes find no room.
    """

    if shot.first == shot.last:
        raise BadInput(f"the film begins and ends at step {shot.first:,}; choose two steps")
    reel, timing = Reel(run), shot.timing
    part = cut(reel.steps, shot.first, shot.last, timing.seconds, timing.rate)
    encoder = encoder_for(Path(path), timing.rate, shot.layout.size)
    yield from _completed(reel)
    return (yield from film(reel, shot.layout, encoder, part, timing.orbit))


def _completed(reel: Reel) -> Generator[Progress, None, None]:
    """Finds out the exact figures of a run that was trained where nobody watched."""

    yield Progress(0, 1)
    for _ in reel.complete():
        yield Progress(0, 1)
