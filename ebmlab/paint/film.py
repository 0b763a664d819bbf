"""Films: a run painted picture by picture, for the window and for the command line alike."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from PySide6.QtGui import QImage

from ebmlab.paint.backdrop import Pace
from ebmlab.paint.layout import Layout
from ebmlab.paint.scene import Scene
from ebmlab.record.belt import Belt
from ebmlab.record.encoders import Encoder
from ebmlab.record.film import Cut, Made, Progress, Watch
from ebmlab.session.reel import Reel


def film(reel: Reel, layout: Layout, encoder: Encoder, cut: Cut, orbit: float = 0.0) -> Generator[Progress, None, Made]:
    """Makes a film; yields how far it is after each picture. Closing it calls the film off and leaves nothing.

    Arguments:
        reel: The run.
        layout: What is shown.
        encoder: Writes the file.
        cut: Which steps, and how fast.
        orbit: Degrees a second by which the camera of surfaces turns.

    Raises:
        BadInput: If the timeline is broken, or the layout finds no room.
    """

    clock = Clock()
    scene = Scene(layout, reel.recipe_at(cut.first).window, Pace(clock, lines=0.0, bar=1 / 3))
    lens, steps, watch = scene.lens, cut.steps, Watch(cut.count)
    scene.fix(reel.snapshot(cut.last, lens))
    yield Progress(0, cut.count)
    with Belt(encoder, cut.count, _samples(reel, scene, cut) if encoder.few_colours else ()) as belt:
        for index, snapshot in enumerate(reel.play(steps, lens), 1):
            belt.put(array(scene.image(snapshot)))
            clock.now = index / cut.fps
            scene.turn(orbit / cut.fps)
            yield watch.progress(index)
    return Made(encoder.path, cut.count, watch.seconds)


def preview(reel: Reel, layout: Layout, cut: Cut) -> QImage:
    """Returns the last picture of a film, as it will be but for the particles."""

    scene = Scene(layout, reel.recipe_at(cut.last).window)
    return scene.image(reel.snapshot(cut.last, scene.lens))


class Clock:
    """The time of a film, in seconds since its beginning."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def array(image: QImage) -> np.ndarray:
    """Returns a picture as an array with shape (height, width, 3), uint8."""

    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()


def _samples(reel: Reel, like: Scene, cut: Cut) -> list[np.ndarray]:
    scene = Scene(like.layout, like.shared.window)
    return [array(scene.image(reel.snapshot(step, like.lens))) for step in cut.samples]
