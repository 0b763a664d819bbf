"""GIF, animated WebP, APNG and numbered PNGs by way of Pillow; each holds one picture at a time in memory."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, ClassVar, final

import numpy as np
from PIL import GifImagePlugin, Image

from ebmlab.record.encoders import Encoder, changed
from ebmlab.spec import BadInput

FRAMES = re.compile(r"%0?(\d{0,2})d")
"""What stands for the number in the names of numbered pictures."""
USUAL = "frame-%05d.png"


@final
@dataclass(frozen=True)
class GIF(Encoder):
    """A GIF that loops, in 256 colours common to all pictures and without dithering, so that nothing flickers."""

    few_colours: ClassVar[bool] = True

    def _write(self, pictures: Iterator[np.ndarray], count: int, beside: Path, samples: list[np.ndarray]) -> None:
        before: np.ndarray | None = None
        palette: Image.Image | None = None
        with beside.open("wb") as file:
            for index, picture in enumerate(pictures):
                if palette is None:
                    palette = common([picture, *samples])
                    header = _reduced(picture, palette)
                    file.writelines(GifImagePlugin.getheader(header, info={"loop": 0, "optimize": False})[0])
                left, top, right, bottom = changed(before, picture)
                part = _reduced(picture[top:bottom, left:right], palette)
                time = round(100 * (index + 1) / self.fps) - round(100 * index / self.fps)
                file.writelines(GifImagePlugin.getdata(part, (left, top), duration=10 * time))
                before = picture
            file.write(b";")


@final
@dataclass(frozen=True)
class WebP(Encoder):
    """An animated WebP that loops."""

    def _write(self, pictures: Iterator[np.ndarray], count: int, beside: Path, samples: list[np.ndarray]) -> None:
        ends = [round(1000 * index / self.fps) for index in range(count + 1)]
        times = [end - start for start, end in pairwise(ends)]
        strip = Strip(pictures, count, self.size)
        strip.save(beside, "WEBP", save_all=True, duration=times, loop=0, quality=88, method=2)


@final
@dataclass(frozen=True)
class AnimatedPNG(Encoder):
    """An APNG that loops: every colour exact.

    References:
        | Portable Network Graphics (PNG) Specification, third edition: animation chunks
        | https://www.w3.org/TR/png-3/#apng-frame-based-animation
    """

    def _write(self, pictures: Iterator[np.ndarray], count: int, beside: Path, samples: list[np.ndarray]) -> None:
        before: np.ndarray | None = None
        number = 0
        with beside.open("wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            _chunk(file, b"IHDR", struct.pack(">IIBBBBB", *self.size, 8, 2, 0, 0, 0))
            _chunk(file, b"sRGB", b"\0")
            _chunk(file, b"acTL", struct.pack(">II", count, 0))
            for picture in pictures:
                left, top, right, bottom = changed(before, picture)
                control = struct.pack(">IIIII", number, right - left, bottom - top, left, top)
                _chunk(file, b"fcTL", control + struct.pack(">HHBB", 1000, round(1000 * self.fps), 0, 0))
                number += 1
                for data in _deflated(picture[top:bottom, left:right]):
                    _chunk(file, *((b"IDAT", data) if before is None else (b"fdAT", struct.pack(">I", number) + data)))
                    number += before is not None
                before = picture
            _chunk(file, b"IEND", b"")


@final
@dataclass(frozen=True)
class Numbered(Encoder):
    """PNGs with numbers: ``frame-00001.png`` and so on in a new folder, or wherever the name has ``%05d``."""

    def check(self) -> None:
        if not self._folder.absolute().parent.is_dir():
            raise BadInput("there is no such folder to save in; make it first", source=str(self._folder))
        if self._pattern == USUAL and (self.path.is_file() or (self.path.is_dir() and any(self.path.iterdir()))):
            raise BadInput("something else is there; name an empty folder or a new one", source=str(self.path))

    def _write(self, pictures: Iterator[np.ndarray], count: int, beside: Path, samples: list[np.ndarray]) -> None:
        beside.mkdir()
        for index, picture in enumerate(pictures, 1):
            Image.fromarray(picture).save(beside / (self._pattern % index), compress_level=4)

    def _settle(self, beside: Path) -> None:
        self._folder.mkdir(exist_ok=True)
        for file in sorted(beside.iterdir()):
            file.replace(self._folder / file.name)
        beside.rmdir()

    @property
    def _pattern(self) -> str:
        return self.path.name if FRAMES.search(self.path.name) else USUAL

    @property
    def _folder(self) -> Path:
        return self.path.parent if FRAMES.search(self.path.name) else self.path


class Strip(Image.Image):
    """Pictures that come one by one, as the one image of many frames that Pillow saves.

    Arguments:
        pictures: They are taken as they are asked for.
        count: How many there are.
        size: Width and height in pixels.
    """

    def __init__(self, pictures: Iterator[np.ndarray], count: int, size: tuple[int, int]) -> None:
        super().__init__()
        self._pictures, self.n_frames, self._at = pictures, count, -1
        self._mode, self._size = "RGB", size

    def seek(self, frame: int) -> None:
        """Goes on to the next picture, or back to none, which Pillow asks for at either end."""

        if frame == self._at + 1 and frame < self.n_frames:
            self.im, self._at = Image.fromarray(next(self._pictures)).im, frame

    def tell(self) -> int:
        """Returns which picture it is at."""

        return max(self._at, 0)


def common(pictures: list[np.ndarray]) -> Image.Image:
    """Returns an image whose palette of 256 colours does justice to all pictures."""

    mosaic = Image.fromarray(np.concatenate(pictures))
    return mosaic.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _reduced(picture: np.ndarray, palette: Image.Image) -> Image.Image:
    return Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE)


def _deflated(picture: np.ndarray) -> Iterator[bytes]:
    """Yields the data of a picture as a PNG holds them."""

    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=4)
    content, at = buffer.getvalue(), 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        if content[at + 4 : at + 8] == b"IDAT":
            yield content[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(file: IO[bytes], kind: bytes, data: Any) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
