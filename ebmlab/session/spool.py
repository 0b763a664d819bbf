from __future__ import annotations

import tempfile
import threading
import weakref

from ebmlab.session.blob import Held

IN_MEMORY = 2**26
"""Bytes that stay in memory; more go to a temporary file."""


class Spool:
    """Keeps what was read from a session file, so that the file may be replaced, moved or deleted meanwhile.

    It goes when nobody needs any of its parts any more. Any thread may read.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        self._lock = threading.Lock()
        weakref.finalize(self, self._file.close)

    def add(self, content: bytes) -> Part:
        """Keeps some bytes."""

        with self._lock:
            start = self._file.seek(0, 2)
            self._file.write(content)
        return Part(self, start, len(content))

    def read(self, start: int, size: int) -> bytes:
        """Returns some of the bytes."""

        with self._lock:
            self._file.seek(start)
            return self._file.read(size)


class Part:
    """Bytes in a spool. Satisfies :class:`ebmlab.session.blob.Blob`."""

    __slots__ = ("__weakref__", "_spool", "_start", "size")

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        self._spool, self._start, self.size = spool, start, size

    def read(self) -> bytes:
        """Returns the bytes."""

        return self._spool.read(self._start, self.size)

    def __reduce__(self) -> tuple[object, ...]:
        return Held, (self.read(),)
