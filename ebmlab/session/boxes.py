"""Where the members of a session file lie: in one zip or in a folder. Both are replaced whole or not at all.

A zip is written beside and renamed. In a folder every new member is written beside the old, then the new manifest takes
the old one's place, and then the members theirs: the manifest says by digests which of the two is meant, so that at any
moment either the old session can be read or the new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol
from weakref import WeakKeyDictionary

from ebmlab.session.blob import Blob
from ebmlab.session.zipped import SMALL
from ebmlab.spec import BadInput

Content = bytes | Blob
Digests = Mapping[str, str]
"""SHA-256 of each member by its name."""
PART = ".part"
FOLDERS = ("frames", "states")
_MARKS: WeakKeyDictionary[Blob, tuple[str, int]] = WeakKeyDictionary()
MANIFEST = "run.json"


class Box(Protocol):
    """The members of a session file."""

    def __contains__(self, name: str) -> bool: ...

    def size(self, name: str) -> int:
        """Returns how many bytes a member has."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yields the content of a member in pieces."""


class Foldered:
    """The members of a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def __contains__(self, name: str) -> bool:
        place = self._path / name
        if not place.exists():
            return False
        if place.resolve() != place:
            raise BadInput(f"{name[:60]} leads out of the folder; put the file itself there")
        return place.is_file()

    def size(self, name: str) -> int:
        """Returns how many bytes a member has."""

        return (self._path / name).stat().st_size

    def pieces(self, name: str, piece: int = 2**20) -> Iterator[bytes]:
        """Yields the content of a member in pieces."""

        left = self.size(name)
        with (self._path / name).open("rb") as file:
            while left > 0 and (content := file.read(min(piece, left))):
                left -= len(content)
                yield content


def write_zip(path: Path, members: Mapping[str, Content], manifest: Callable[[Digests], bytes]) -> None:
    """Writes a session file: beside, and renamed once it is whole and on the disk."""

    beside = path.with_name(path.name + PART)
    digests: dict[str, str] = {}
    try:
        with beside.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, content in members.items():
                    digests[name] = _add(archive, name, content)
                _add(archive, MANIFEST, manifest(digests))
            _flush(file)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def write_folder(path: Path, members: Mapping[str, Content], manifest: Callable[[Digests], bytes]) -> None:
    """Writes the members of a session into a folder, whose other files are left alone."""

    path.mkdir(exist_ok=True)
    known = _settled(path)
    before = _written(path)
    digests: dict[str, str] = {}
    new = [MANIFEST]
    try:
        for name, content in members.items():
            digests[name], size = _mark(content)
            if known.get(name) != digests[name] or not _has(path / name, size):
                new.append(name)
                _write(path / (name + PART), content)
        _write(path / (MANIFEST + PART), manifest(digests))
    except BaseException:
        for name in new:
            (path / (name + PART)).unlink(missing_ok=True)
        raise
    for name in new:
        (path / (name + PART)).replace(path / name)
    for name in before - set(members):
        with contextlib.suppress(OSError):
            (path / name).unlink()
    _flush_folder(path)


def _add(archive: zipfile.ZipFile, name: str, content: Content) -> str:
    data = _bytes(content)
    packs = name.endswith((".json", ".csv", ".tsv", ".txt")) and len(data) <= SMALL
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o600 << 16
    archive.writestr(info, data, zipfile.ZIP_DEFLATED if packs else zipfile.ZIP_STORED)
    return _mark(content, data)[0]


def _write(place: Path, content: Content) -> None:
    place.parent.mkdir(exist_ok=True)
    with place.open("wb") as file:
        file.write(_bytes(content))
        _flush(file)


def _bytes(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read()


def _mark(content: Content, data: bytes | None = None) -> tuple[str, int]:
    """Returns SHA-256 and length of a content; those of a blob are found once, since a timeline is saved often."""

    if not isinstance(content, bytes) and content in _MARKS:
        return _MARKS[content]
    data = _bytes(content) if data is None else data
    mark = hashlib.sha256(data).hexdigest(), len(data)
    if not isinstance(content, bytes):
        _MARKS[content] = mark
    return mark


def _has(place: Path, size: int) -> bool:
    return place.is_file() and place.stat().st_size == size


def _settled(path: Path) -> dict[str, str]:
    """Ends a saving that was killed; returns the digests of the members of a folder, as its manifest has them."""

    try:
        members = dict(json.loads((path / MANIFEST).read_bytes())["members"])
    except (OSError, ValueError, KeyError, RecursionError, TypeError):
        members = {}
    for part in (*path.glob(f"*{PART}"), *path.glob(f"*/*{PART}")):
        name = part.relative_to(path).as_posix().removesuffix(PART)
        if members.get(name) == _mark(part.read_bytes())[0]:
            part.replace(path / name)
        elif name in (MANIFEST, *members) or name.partition("/")[0] in FOLDERS:
            part.unlink()
    return members


def _written(path: Path) -> set[str]:
    """Returns the names of the members that a session may leave behind in a folder when another takes its place."""

    return {
        f"{folder}/{place.name}"
        for folder in FOLDERS
        if (path / folder).is_dir()
        for place in (path / folder).iterdir()
        if place.name.partition(".")[0].isdecimal()
    }


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Makes sure that a renaming is on the disk too, where the system has a way to say so."""

    if os.name == "posix":
        place = os.open(path, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
