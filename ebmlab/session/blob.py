"""Bytes that may be many: in memory while there is room, else in a file of their own."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Protocol


class Blob(Protocol):
    """Bytes that somebody keeps, wherever they lie."""

    @property
    def size(self) -> int:
        """How many there are."""

    def read(self) -> bytes:
        """Returns them."""


class Content(Protocol):
    """What becomes bytes when it is written, so that keeping it costs no more than its copy."""

    def dumps(self) -> bytes:
        """Returns it as bytes."""

    @property
    def size(self) -> int:
        """About how many they are."""


class Held:
    """What is kept in memory, until it is moved to a file, which goes when nobody needs it any more.

    Any thread may read while the one that owns the store moves it: the file is whole before the content is let go.
    """

    __slots__ = ("__weakref__", "_content", "_folder", "_path", "size")

    def __init__(self, content: Content | bytes) -> None:
        self.size = len(content) if isinstance(content, bytes) else content.size
        self._content: Content | bytes | None = content
        self._path: Path | None = None
        self._folder: Folder | None = None

    @property
    def in_memory(self) -> bool:
        """Whether they still take memory."""

        return self._content is not None

    def read(self) -> bytes:
        """Returns the bytes."""

        content = self._content
        if content is None:
            assert self._path is not None
            return self._path.read_bytes()
        return content if isinstance(content, bytes) else content.dumps()

    def move_to(self, folder: Folder) -> None:
        """Writes the bytes to a new file and lets them go."""

        if self._content is not None:
            path = folder.place()
            path.write_bytes(self.read())
            self._path, self._folder, self._content = path, folder, None  # the folder lives as long as its files
            weakref.finalize(self, path.unlink, missing_ok=True)

    def __reduce__(self) -> tuple[object, ...]:
        return Held, (self.read(),)


class Folder:
    """A folder of temporary files, gone with the last who knows it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="ebmlab-"))
        self._names = itertools.count()
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def place(self) -> Path:
        """Returns where a new file may be."""

        return self.path / str(next(self._names))


class Store:
    """Keeps bytes in memory up to a limit, the newest; older ones are moved to a folder of temporary files.

    Arguments:
        memory: How many bytes may stay in memory.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._folder: Folder | None = None

    def settle(self, blobs: list[Held]) -> None:
        """Moves the first of some blobs to files until the rest find room in memory; without a disk all stay."""

        excess = sum(blob.size for blob in blobs if blob.in_memory) - self._memory
        for blob in blobs:
            if excess <= 0:
                return
            if blob.in_memory:
                excess -= blob.size
                try:
                    self._folder = self._folder or Folder()
                    blob.move_to(self._folder)
                except OSError:  # a full disk must not stop the training
                    return
