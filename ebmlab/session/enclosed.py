"""The files that recipes name: fetched once, and enclosed in session files."""

from __future__ import annotations

import hashlib
import re
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ebmlab.session.zipped import Zipped, session_file_above
from ebmlab.spec import BadInput, Component, knobs

C = TypeVar("C", bound=Component)

MOST_BYTES = 400_000_000
FOLDER = "files/"
_FETCHED: OrderedDict[str, bytes] = OrderedDict()
"""What was fetched, the latest last: the very bytes that densities were made of, though the file may be gone since."""
_KEEP, _KEEP_EACH = 2**26, 2**24
_LOCK = threading.Lock()


def fetch(path: str) -> bytes:
    """Returns the content of a file on disk, or of one within a session file (``/a/b.ebmlab/files/p.csv``).

    Raises:
        OSError: If it cannot be read.
        BadInput: If it is no file, or too large.
    """

    place = Path(path)
    above = session_file_above(place)
    content = _whole(place) if above is None else _within(above, place.relative_to(above).as_posix())
    if len(content) <= _KEEP_EACH:
        _remember(path, content)
    return content


def rerouted(component: C, route: Callable[[str], str]) -> C:
    """Returns a component with the paths of files in it, and in its parts, replaced."""

    changed = {}
    for name, _, k in knobs(component):
        value = getattr(component, name)
        new = route(value) if k.path and value else _rerouted(value, route)
        if new != value:
            changed[name] = new
    return replace(component, **changed) if changed else component


class Enclosure:
    """Collects the files that recipes name, for a session file.

    A file that has changed or vanished since it was read is enclosed as it was read. One that cannot be read any more
    at all keeps its path, so that nothing else of the session is lost.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._names: dict[str, str] = {}
        self._digests: dict[str, str] = {}

    def take(self, component: C) -> C:
        """Returns a component that names its files as the session file holds them."""

        return rerouted(component, self._name)

    def _name(self, path: str) -> str:
        if path not in self._names:
            self._names[path] = self._enclose(path)
        return self._names[path]

    def _enclose(self, path: str) -> str:
        content = _FETCHED.get(path)
        if content is None:
            try:
                content = fetch(path)
            except (OSError, BadInput):
                return str(Path(path).absolute())
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._digests:
            self._digests[digest] = name = next(name for name in _names(path) if name not in self.files)
            self.files[name] = content
        return self._digests[digest]


def _remember(path: str, content: bytes) -> None:
    with _LOCK:
        _FETCHED[path] = content
        _FETCHED.move_to_end(path)
        while sum(map(len, _FETCHED.values())) > _KEEP:
            _FETCHED.popitem(last=False)


def _rerouted(value: Any, route: Callable[[str], str]) -> Any:
    if isinstance(value, Component):
        return rerouted(value, route)
    if isinstance(value, tuple) and value and isinstance(value[0], Component):
        return tuple(rerouted(part, route) for part in value)
    return value


def _names(path: str) -> Iterator[str]:
    name = re.sub(r"[^\w.-]", "_", Path(path).name).lstrip(".")[-80:] or "file"
    stem, dot, ending = name.rpartition(".")
    yield FOLDER + name
    for i in range(2, 10_000):
        yield f"{FOLDER}{stem}-{i}{dot}{ending}"


def _whole(path: Path) -> bytes:
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):  # opening a pipe might wait for ever
        raise BadInput("this is no file; give one that holds points or a picture")
    if status.st_size > MOST_BYTES:
        raise _too_large()
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def _within(session_file: Path, name: str) -> bytes:
    with session_file.open("rb") as file:
        members = Zipped(file)
        if name not in members:
            raise FileNotFoundError(2, "no such file in the session file", str(session_file / name))
        if members.size(name) > MOST_BYTES:
            raise _too_large()
        return b"".join(members.pieces(name))


def _too_large() -> BadInput:
    return BadInput(f"the file is larger than {MOST_BYTES // 1_000_000} MB; thin the points out")
