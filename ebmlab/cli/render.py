from __future__ import annotations

import argparse
import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from ebmlab.cli.output import Progress, show_json
from ebmlab.cli.sources import read_run
from ebmlab.cli.system import apt_line, missing
from ebmlab.record.encoders import encoder_for
from ebmlab.record.film import cut
from ebmlab.session.checkpoint import open_run
from ebmlab.session.reel import Reel
from ebmlab.session.run import Run
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.session.watch import State, Watch
from ebmlab.spec import BadInput

if TYPE_CHECKING:
    from ebmlab.paint.layout import Layout

T = TypeVar("T")
DRIFTS = 200
"""How often the particles of a run without a timeline are moved before it is drawn."""


def run(args: argparse.Namespace) -> int:
    """Makes a film or a picture of a run, as the file's ending says; no display is needed."""

    torch.set_num_threads(1)
    application = _application()
    from ebmlab.paint.figures import is_figure

    path, layout = Path(args.out), _layout(args)
    answer = _still(args, layout, path) if is_figure(path) else _film(args, layout, path)
    del application
    if args.json:
        show_json(answer)
    else:
        print(f"saved {answer['pictures']} pictures in {path}" if "seconds" in answer else f"saved in {path}")
    return 0


def _application() -> Any:
    """Returns Qt's application, without a window: one picture after the other is painted in memory."""

    if packages := missing(False):
        raise BadInput(f"Qt lacks system libraries; run: {apt_line(packages)}")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication

    return QGuiApplication.instance() or QGuiApplication(["ebmlab"])


def _layout(args: argparse.Namespace) -> Layout:
    from ebmlab.paint.layout import Layout, columns, read_size
    from ebmlab.paint.look import PALETTES, Theme

    return Layout(
        columns=columns(args.layout),
        caption=args.caption,
        formula=args.formula,
        axes=args.axes,
        theme=Theme(palette=PALETTES[args.theme], scale=args.scale),
        size=read_size(args.size),
    )


def _film(args: argparse.Namespace, layout: Layout, path: Path) -> dict[str, Any]:
    from ebmlab.paint.film import film

    if args.at is not None:
        raise BadInput("a film has no single step; end the name in .png, .svg, .pdf or .csv", key="--at")
    encoder = encoder_for(path, args.fps, layout.size)  # first, so that what is missing is said at once
    saved = read_run(args.run)
    reel = Reel(saved, args.device)
    try:
        part = cut(reel.steps, args.first, args.last, args.seconds, args.fps)
    except BadInput as fault:
        raise fault.within(source=args.run) from None
    _complete(reel)
    progress = Progress(part.count, "pictures")
    try:
        made = _finish(film(reel, layout, encoder, part, args.orbit), lambda p: progress(p.done, _left(p.left)))
    finally:
        progress.close()
    size = {"width": layout.size[0], "height": layout.size[1]}
    ends = {"from": part.first, "to": part.last, "fps": part.fps}
    return {"file": str(made.path), "pictures": made.pictures, "seconds": made.seconds, **size, **ends}


def _still(args: argparse.Namespace, layout: Layout, path: Path) -> dict[str, Any]:
    from ebmlab.paint.figures import check_figure, lens_of, save_figure

    check_figure(path)
    saved = read_run(args.run)
    reel = Reel(saved, args.device)
    if reel.steps:
        step = reel.steps[-1] if args.at is None else args.at
        lens = lens_of(layout, reel.recipe_at(step).window)
        _complete(reel)
        shown = reel.snapshot(step, lens)
    elif args.at in (None, saved.step):
        shown = present(saved, lens_of(layout, saved.recipe.window), args.device)
    else:
        raise BadInput(f"this run has no timeline; leave --at out, or give {saved.step}", source=args.run)
    save_figure(layout, shown, path)
    return {"file": str(path), "step": shown.step, "width": layout.size[0], "height": layout.size[1]}


def present(saved: Run, lens: Lens, device: str) -> Snapshot:
    """Returns a run as it stands, with its exact figures, and particles that the sampler has moved for a while."""

    session = open_run(saved, device)
    watch = Watch(session)
    watch.look(lens)
    if lens.particles:
        for _ in range(DRIFTS):
            watch.drift(lens.particles)
    while watch.urgent and watch.pending:
        watch.study()
    return watch.snapshot(lens, lens.resolution, State())


def _complete(reel: Reel) -> None:
    """Finds out the exact figures of a run that recorded none."""

    progress = Progress(100, "% of the exact figures")
    try:
        _finish(reel.complete(), lambda share: progress(round(100 * share)))
    finally:
        progress.close()


def _finish(work: Generator[Any, None, T], tell: Any) -> T:
    """Runs a generator to its end; whatever interrupts it closes it, so that it leaves nothing behind."""

    try:
        while True:
            tell(next(work))
    except StopIteration as end:
        return end.value
    finally:
        work.close()


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} left"
