"""The files that targets are made from: points and pictures."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from ebmlab.session.enclosed import fetch
from ebmlab.spec import BadInput

if TYPE_CHECKING:
    from PIL import ImageFont

MOST_ROWS = 1_000_000
MOST_UNPACKED = 2**26
MOST_PIXELS = 50_000_000
POINTS = (".csv", ".tsv", ".txt", ".npy", ".npz")
_TOO_MANY = f"there are more than {MOST_ROWS:,} rows; thin the file out"
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


class Files:
    """Reads points and pictures from disk. Satisfies :class:`ebmlab.engine.types.Reader`."""

    def points(self, path: str) -> np.ndarray:
        """Returns the points in a CSV, TSV, NPY or NPZ file, with shape (n, 2), float64.

        Raises:
            BadInput: If there are none, too many, or some are not numbers. The message names the row.
        """

        try:
            content = fetch(path)
            array = _numpy(content) if Path(path).suffix.lower() in (".npy", ".npz") else _text(content)
        except OSError as fault:
            raise _unreadable(path, fault) from None
        except BadInput as fault:
            raise fault.within(source=path) from None
        return array

    def image(self, path: str) -> np.ndarray:
        """Returns a picture's brightness in [0, 1], with shape (rows, columns), the first row on top.

        Transparent parts count as white.

        Raises:
            BadInput: If the file is missing, is not a picture, or is too large.
        """

        from PIL import Image, UnidentifiedImageError

        try:
            with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(fetch(path))) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    size = f"{picture.width} by {picture.height} pixels"
                    raise BadInput(f"the picture has {size}; scale it to at most {MOST_PIXELS:,}", source=path)
                picture.thumbnail((512, 512))
                colours = picture.convert("RGBA")
                white = Image.new("RGBA", colours.size, "white")
                grey = Image.alpha_composite(white, colours).convert("L")
        except Image.DecompressionBombError:  # raised while opening, before the size can be asked
            raise BadInput(
                f"the picture is too large; scale it to at most {MOST_PIXELS:,} pixels", source=path
            ) from None
        except (UnidentifiedImageError, SyntaxError, ValueError) as fault:
            if isinstance(fault, BadInput):
                raise fault.within(source=path) from None
            raise BadInput("this is not a picture; give a PNG or JPEG file", source=path) from None
        except OSError as fault:
            raise _unreadable(path, fault) from None
        return np.asarray(grey, dtype=np.float64) / 255

    def text(self, text: str) -> np.ndarray:
        """Returns the ink of a text in [0, 1], with shape (rows, columns), the first row on top, nothing about it.

        Raises:
            BadInput: If no font at hand has all of its letters, or they leave no ink.
        """

        from PIL import Image, ImageDraw

        font = _font(text)
        probe = ImageDraw.Draw(Image.new("L", (1, 1)))
        left, top, right, bottom = probe.multiline_textbbox((0, 0), text, font, align="center")
        page = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)))
        ImageDraw.Draw(page).multiline_text((-left, -top), text, 255, font, align="center")
        inked = page.getbbox()
        if inked is None:
            raise BadInput("the text leaves no ink; type letters")
        return np.asarray(page.crop(inked), dtype=np.float64) / 255


FONTS = (
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "PingFang.ttc",
    "Arial Unicode.ttf",
    "DejaVuSans.ttf",
)
"""Where letters are looked for that the font which comes with Pillow lacks."""

_HEIGHT = 160


def parse_points(text: str) -> np.ndarray:
    """Returns the points in pasted text, one a line, with shape (n, 2).

    Raises:
        BadInput: As :meth:`Files.points`.
    """

    return _rows(iter(text.splitlines()))


def _font(text: str) -> ImageFont.FreeTypeFont:
    """Returns the first font that has every letter of a text."""

    letters = sorted({letter for letter in text if not letter.isspace()})
    missing = ""
    for font in _fonts():
        nothing = bytes(font.getmask("\uffff"))
        missing = missing or next((c for c in letters if bytes(font.getmask(c)) == nothing), "")
        if not any(bytes(font.getmask(letter)) == nothing for letter in letters):
            return font
    raise BadInput(f"no font on this machine has the letter {missing}; leave it out or install one")


def _fonts() -> Iterator[ImageFont.FreeTypeFont]:
    from PIL import ImageFont

    own = ImageFont.load_default(_HEIGHT)
    if isinstance(own, ImageFont.FreeTypeFont):
        yield own
    for name in FONTS:
        with contextlib.suppress(OSError):
            yield ImageFont.truetype(name, _HEIGHT)


def _unreadable(path: str, fault: OSError) -> BadInput:
    reason = (fault.strerror or "cannot be read to its end").lower()
    return BadInput(f"{reason}; give a file that can be read", source=path)


def _text(content: bytes) -> np.ndarray:
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        return _quick(lines) if len(content) > 1_000_000 else _rows(iter(lines))
    except UnicodeDecodeError:
        raise BadInput("this is not a text file; give CSV, TSV, NPY or NPZ") from None


def _quick(lines: TextIO) -> np.ndarray:
    """Reads a long file by NumPy; one that it stumbles over is read again, line by line, to name the row."""

    first = lines.readline()
    mark = _delimiter(first).strip() or None
    try:
        heading = _row(first, 1, heading=True) is None
        lines.seek(0)
        most = MOST_ROWS + 1
        points = np.loadtxt(lines, delimiter=mark, skiprows=int(heading), max_rows=most, ndmin=2, dtype=np.float64)
    except (ValueError, UnicodeDecodeError):
        points = np.empty((0, 0))
    if len(points) > MOST_ROWS:
        raise BadInput(_TOO_MANY)
    if points.shape[1:] == (2,):
        return _finite(points)
    lines.seek(0)
    return _rows(iter(lines))


def _rows(lines: Iterator[str]) -> np.ndarray:
    rows: list[tuple[float, float]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = _row(line, number, heading=not rows)
        if row:
            rows.append(row)
        if len(rows) > MOST_ROWS:
            raise BadInput(_TOO_MANY)
    return _finite(np.array(rows, dtype=np.float64).reshape(-1, 2))


def _row(line: str, number: int, heading: bool) -> tuple[float, float] | None:
    try:
        cells = next(csv.reader([line.strip()], delimiter=_delimiter(line), skipinitialspace=True))
    except csv.Error:
        raise BadInput(f"row {number} cannot be read; give two numbers a row") from None
    cells = [cell.strip() for cell in cells if cell.strip()]
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        if heading and number == 1 and len(cells) == 2:
            return None
        shown = line.strip()[:40]
        raise BadInput(f"row {number} holds text, {shown!r}; give two numbers a row") from None
    if len(values) != 2:
        count = "one number" if len(values) == 1 else f"{len(values)} numbers"
        raise BadInput(f"row {number} holds {count}; give two, x and y")
    if not all(map(math.isfinite, values)):
        raise BadInput(f"row {number} holds a number that is not finite; remove that row")
    return values[0], values[1]


def _delimiter(line: str) -> str:
    return next((mark for mark in "\t;," if mark in line), " ")


def _numpy(content: bytes) -> np.ndarray:
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        array = _unpacked(loaded) if isinstance(loaded, np.lib.npyio.NpzFile) else loaded
    except BadInput:
        raise
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, MemoryError, SyntaxError, NotImplementedError):
        raise BadInput("this is no NumPy file of plain numbers; save an array of shape (n, 2)") from None
    if array.ndim != 2 or array.shape[1] != 2:
        raise BadInput(f"the array has shape {array.shape}; give (n, 2)")
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise BadInput(f"the array holds {array.dtype}; give real numbers")
    if len(array) > MOST_ROWS:
        raise BadInput(f"there are {len(array):,} rows; thin them to at most {MOST_ROWS:,}")
    return _finite(np.array(array, dtype=np.float64))


def _unpacked(file: np.lib.npyio.NpzFile) -> np.ndarray:
    name = _only(file.files)
    if file.zip is not None and file.zip.getinfo(f"{name}.npy").file_size > MOST_UNPACKED:
        raise BadInput(f"the array has more than {MOST_UNPACKED >> 20} MiB; thin the points out")
    return file[name]


def _only(names: list[str]) -> str:
    if len(names) != 1 and "points" not in names:
        raise BadInput(f"the file holds the arrays {', '.join(names) or 'none'}; name one of them points")
    return "points" if "points" in names else names[0]


def _finite(points: np.ndarray) -> np.ndarray:
    if not len(points):
        raise BadInput("there are no rows; give at least two points")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise BadInput(f"row {bad[0] + 1} holds a number that is not finite; remove that row")
    if np.abs(points).max() > 1e6:
        raise BadInput("a coordinate is beyond a million; scale the points into the window")
    return points
