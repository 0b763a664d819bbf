"""MP4 and WebM by way of PyAV, an optional package whose wheels bring the codecs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, final

import numpy as np

from ebmlab.record.encoders import Encoder, even
from ebmlab.spec import BadInput

PACKAGE = 'pip install "ebmlab[video]"'
BT709, LIMITED = 1, 1
"""How the colours are stored, as the standards number it."""


@dataclass(frozen=True)
class Codec:
    """A codec of the library, with its settings.

    Arguments:
        name: What the library calls it.
        options: Its settings, chosen by measuring speed, size and likeness of the lab's own pictures.
        threads: How many threads it gets.
    """

    name: str
    options: tuple[tuple[str, str], ...]
    threads: int = 2


H264 = Codec("libx264", (("preset", "ultrafast"), ("crf", "20"), ("x264-params", "no-deblock=0:cabac=1")))
VP9 = Codec(
    "libvpx-vp9",
    (("deadline", "realtime"), ("cpu-used", "7"), ("crf", "24"), ("b", "0"), ("row-mt", "1"), ("tile-columns", "2")),
)
AV1 = Codec("libsvtav1", (("preset", "9"), ("crf", "24"), ("svtav1-params", "enable-tf=0")))


@final
@dataclass(frozen=True)
class Video(Encoder):
    """A film in 4:2:0, its colours tagged as BT.709.

    Arguments:
        container: What the library calls the format of the file.
        codecs: What it may be coded in, the best first.
    """

    container: str
    codecs: tuple[Codec, ...]

    def check(self) -> None:
        super().check()
        first(self.codecs, self.path)

    def _write(self, pictures: Iterator[np.ndarray], count: int, beside: Path, samples: list[np.ndarray]) -> None:
        av, codec = library(), first(self.codecs, self.path)
        muxing = {"movflags": "+faststart"} if self.container == "mp4" else {}
        with av.open(str(beside), "w", format=self.container, options=muxing) as file:
            rate = Fraction(self.fps).limit_denominator(1001)
            stream = file.add_stream(codec.name, rate=rate, options=dict(codec.options))
            stream.width, stream.height = (side + side % 2 for side in self.size)
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            context.thread_count, context.gop_size = codec.threads, max(round(2 * self.fps), 1)
            context.color_primaries = context.color_trc = context.colorspace = BT709
            context.color_range = LIMITED
            for index, picture in enumerate(pictures):
                file.mux(stream.encode(_frame(av, picture, index)))
            file.mux(stream.encode(None))


def mp4(path: Path, fps: float, size: tuple[int, int]) -> Video:
    """Returns H.264 in MP4: what every player shows, and slides too."""

    return Video(path, fps, size, "mp4", (H264,))


def webm(path: Path, fps: float, size: tuple[int, int]) -> Video:
    """Returns VP9 in WebM, or AV1 where there is no VP9: what browsers show without a licence."""

    return Video(path, fps, size, "webm", (VP9, AV1))


def library() -> Any:
    """Returns the optional package.

    Raises:
        BadInput: If it is missing.
    """

    try:
        import av
    except ImportError:
        raise BadInput(f"MP4 and WebM need the package av; run {PACKAGE}, or end the name in .gif or .webp") from None
    av.logging.set_level(av.logging.PANIC)
    return av


def first(codecs: tuple[Codec, ...], path: Path) -> Codec:
    """Returns the first codec that is there.

    Raises:
        BadInput: If none is.
    """

    try:
        known = library().codecs_available
    except BadInput as fault:
        raise fault.within(source=str(path)) from None
    for codec in codecs:
        if codec.name in known:
            return codec
    names = " nor ".join(codec.name for codec in codecs)
    raise BadInput(
        f"this build of av has no {names}; run {PACKAGE} --force-reinstall, or end in .gif", source=str(path)
    )


def _frame(av: Any, picture: np.ndarray, index: int) -> Any:
    frame = av.VideoFrame.from_ndarray(even(picture), format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED)
    frame.pts = index
    return frame
