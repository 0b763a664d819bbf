"""Films as files: pictures in, MP4, WebM, GIF, animated WebP, APNG or numbered PNG out. No Qt.

Every picture is an array with shape (height, width, 3), uint8, sRGB, its first row on top. A film is written beside its
place and renamed; one that is not finished leaves nothing behind.
"""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ebmlab.spec import BadInput


@dataclass(frozen=True)
class Encoder(ABC):
    """Writes a film.

    Arguments:
        path: The file.
        fps: Pictures a second.
        size: Width and height in pixels.
    """

    few_colours: ClassVar[bool] = False  # whether samples of the film help to choose them

    path: Path
    fps: float
    size: tuple[int, int]

    def check(self) -> None:
        """Checks that the film can be written, before any work begins.

        Raises:
            BadInput: If a package or a codec is missing, or something is in the way.
        """

        if not self.path.absolute().parent.is_dir():
            raise BadInput("there is no such folder to save in; make it first", source=str(self.path))
        if self.path.is_dir():
            raise BadInput("this is a folder; name a file", source=str(self.path))

    def encode(self, pictures: Iterable[np.ndarray], count: int, samples: Iterable[np.ndarray] = ()) -> None:
        """Writes the film.

        Arguments:
            pictures: All of them, one after the other.
            count: How many there are.
            samples: Some of them, from all over the film, for formats that have few colours to choose.
        """

        beside = self.path.with_name(self.path.name + ".part")
        try:
            self._write(self._checked(pictures), count, beside, list(samples))
            self._settle(beside)
        except BaseException:
            if beside.is_dir():
                shutil.rmtree(beside)
            else:
                beside.unlink(missing_ok=True)
            raise

    def _settle(self, beside: Path) -> None:
        beside.replace(self.path)

    @abstractmethod
    def _write(self, pictures: Iterator[np.ndarray], count: int, beside: Path, samples: list[np.ndarray]) -> None:
        """Writes the pictures to a file beside."""

    def _checked(self, pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for picture in pictures:
            if picture.shape != (self.size[1], self.size[0], 3) or picture.dtype != np.uint8:
                raise ValueError(f"a picture of {picture.shape}, {picture.dtype} does not fit into {self.size}")
            yield picture


def encoder_for(path: Path, fps: float, size: tuple[int, int]) -> Encoder:
    """Returns what writes a film to a path, chosen by its ending: a folder, or a pattern with ``%05d``, is for PNGs.

    Raises:
        BadInput: If there is none, or if something it needs is missing.
    """

    from ebmlab.record.encoders_image import FRAMES, GIF, AnimatedPNG, Numbered, WebP
    from ebmlab.record.encoders_video import mp4, webm

    kinds: dict[str, Callable[[Path, float, tuple[int, int]], Encoder]] = {
        ".mp4": mp4,
        ".webm": webm,
        ".gif": GIF,
        ".webp": WebP,
        ".apng": AnimatedPNG,
        "": Numbered,
    }
    ending = path.suffix.lower()
    if ending == ".png" and FRAMES.search(path.name):
        ending = ""
    if ending not in kinds:
        known = ", ".join(filter(None, kinds))
        raise BadInput(f"no film ends like this; end it in {known}, or name a folder for PNGs", source=str(path))
    made = kinds[ending](path, fps, size)
    made.check()
    return made


def codecs() -> dict[str, str]:
    """Returns what each kind of film is coded with on this machine, or what to install."""

    from PIL import features

    from ebmlab.record.encoders_video import AV1, H264, VP9, first

    said = {}
    for name, wanted in (("MP4", (H264,)), ("WebM", (VP9, AV1))):
        try:
            said[name] = first(wanted, Path(name)).name
        except BadInput as fault:
            said[name] = f"none: {fault.message}"
    has_webp = features.check("webp")
    webp = "Pillow" if has_webp else "none: this build of Pillow has no WebP"
    return {**said, "GIF": "Pillow", "WebP": webp, "APNG": "Pillow", "PNG": "Pillow"}


def changed(before: np.ndarray | None, now: np.ndarray) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom of what differs from the picture before; a pixel if nothing does."""

    height, width = now.shape[:2]
    if before is None:
        return 0, 0, width, height
    rows = np.flatnonzero((before != now).any((1, 2)))
    if not len(rows):
        return 0, 0, 1, 1
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero((before[top:bottom] != now[top:bottom]).any((0, 2)))
    return int(columns[0]), top, int(columns[-1]) + 1, bottom


def even(picture: np.ndarray) -> np.ndarray:
    """Returns a picture with even sides, the last row and column repeated where they are odd."""

    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return picture
