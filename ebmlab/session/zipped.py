"""A zip that somebody else may have made, read without trust: nothing in it is believed before it is checked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ebmlab.spec import BadInput

SUFFIX = ".ebmlab"
MOST_MEMBERS = 20_000
MOST_CONTENT = 2**31
"""Bytes that all members may unpack to."""
MOST_DIRECTORY = 2**22
RATIO, SMALL, SMALL_IN_ALL = 64, 2**22, 2**27
"""A member may unpack to so many times its size, or to so many bytes, and all of them to so many."""
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError)
_END = struct.Struct("<4s4H2LH")


class Zipped:
    """The members of a zip.

    Arguments:
        file: The zip, open for reading.

    Raises:
        BadInput: If it is no whole zip, or one that no program of good will writes.
    """

    def __init__(self, file: BinaryIO) -> None:
        with _whole():
            length = _demand_end(file)
            self._zip = zipfile.ZipFile(file)
            self._members = _checked(self._zip.infolist(), length)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def size(self, name: str) -> int:
        """Returns how many bytes a member says that it unpacks to."""

        return self._members[name].file_size

    def pieces(self, name: str, piece: int = 2**20) -> Iterator[bytes]:
        """Yields the content of a member in pieces.

        Raises:
            BadInput: If it is broken.
        """

        left = self.size(name)
        with _whole(), self._zip.open(self._members[name]) as member:
            while content := member.read(min(piece, left + 1)):
                left -= len(content)
                if left < 0:
                    raise BadInput(f"{name[:60]} is longer than it says; save the session again")
                yield content


def _demand_end(file: BinaryIO) -> int:
    """Demands that the directory at the end is one that fits into memory; returns the length of the file."""

    length = file.seek(0, 2)
    file.seek(max(length - _END.size - 2**16, 0))
    tail = file.read()
    place = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    if place < 0:
        raise zipfile.BadZipFile
    _, _, _, _, members, size, _, _ = _END.unpack_from(tail, place)
    if members > MOST_MEMBERS or size > MOST_DIRECTORY or tail[max(place - 20, 0) : place].startswith(b"PK\6\7"):
        raise BadInput(f"it holds more than {MOST_MEMBERS:,} files; give a saved session")
    return length


def _checked(members: list[zipfile.ZipInfo], length: int) -> dict[str, zipfile.ZipInfo]:
    named = {member.filename: member for member in members}
    if len(named) < len(members):
        raise BadInput("it holds two files of one name; save the session again")
    for member in members:
        _demand_harmless(member)
    total = sum(member.file_size for member in members)
    most = min(MOST_CONTENT, max(RATIO * length, SMALL_IN_ALL))
    if total > most or sum(member.compress_size for member in members) > length:
        raise BadInput("its files unpack to more than a session ever holds; give a saved session")
    return named


def _demand_harmless(member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = repr(name[:60])
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/") or "\0" in name:
        raise BadInput(f"it holds {shown}, which leads out of the file; save the session again")
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        raise BadInput(f"it holds {shown}, which is a link; save the session again")
    if member.flag_bits & 0x41:
        raise BadInput(f"it holds {shown}, which is encrypted; pack it without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput(f"it holds {shown}, packed in an unusual way; save the session again")
    if member.file_size > max(RATIO * member.compress_size, SMALL):
        raise BadInput(f"it holds {shown}, which unpacks to more than a session ever holds; give a saved session")


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except BROKEN:
        raise BadInput("this is not a whole saved session; save it again") from None


def session_file_above(path: Path) -> Path | None:
    """Returns the session file that a path leads into, as ``/a/b.ebmlab/files/p.csv`` does; None if into none."""

    return next((parent for parent in path.parents if parent.suffix.lower() == SUFFIX and parent.is_file()), None)
