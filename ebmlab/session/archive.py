"""The session file: all of a run, in one zip that ends in ``.ebmlab`` or in a folder.

.. code-block:: text

    run.json                     the manifest: format, version, step, seed, device, evaluation, seconds, versions, and
                                 the SHA-256 of every other member
    recipe.json                  the recipe as it stands, every knob written out
    weights.safetensors          the energy's parameters and buffers, float32
    log.json                     every recipe with the step at which it took effect: the first, and then what changed
    state.safetensors            all that training goes on with, bit for bit
    series.safetensors           the histories that charts show, float64
    frames/STEP.safetensors      the timeline: what the run looked like
    states/STEP.safetensors      and, of some steps, what training went on with
    moments.json                 the steps that somebody has named
    view.json                    what the window keeps for itself
    thumbnail.png                a small picture
    files/NAME                   the points and pictures that the recipe and the log name

Nothing in it can hold code. The first three are always there. A member that is not in the manifest is not read. What is
read is kept apart from the file, which may be replaced, moved or deleted from then on.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

from ebmlab.session import members
from ebmlab.session.boxes import MANIFEST, PART, Box, Content, Digests, Foldered, write_folder, write_zip
from ebmlab.session.enclosed import Enclosure
from ebmlab.session.fitting import demand_size
from ebmlab.session.manifest import Manifest
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.spool import Part, Spool
from ebmlab.session.state import State
from ebmlab.session.timeline import Kept
from ebmlab.session.zipped import SUFFIX, Zipped
from ebmlab.spec import BadInput

RECIPE, WEIGHTS, LOG, STATE = "recipe.json", "weights.safetensors", "log.json", "state.safetensors"
SERIES, MOMENTS, VIEW, THUMBNAIL = "series.safetensors", "moments.json", "view.json", "thumbnail.png"
MOST_JSON, MOST_TENSORS, MOST_PICTURE = 2**24, 2**29, 2**22
_KEPT = re.compile(r"(frames|states)/(0|[1-9][0-9]{0,14})\.safetensors")


def write_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Writes a run, to one file if the path ends in ``.ebmlab``, else to a folder; whole or not at all.

    Raises:
        BadInput: If something else is in the way.
        OSError: If it cannot be written. What was there before is there still.
    """

    path = Path(path)
    check_free(path)
    enclosure = Enclosure()
    recipe = enclosure.take(run.recipe)
    log = tuple((step, enclosure.take(r)) for step, r in run.log)
    contents: dict[str, Content] = {
        RECIPE: _written(recipe),
        LOG: members.dump_log(log),
        **_contents(run),
        **enclosure.files,
    }
    for kept in run.kept:
        contents[f"frames/{kept.step}.safetensors"] = kept.frame
        if kept.state is not None:
            contents[f"states/{kept.step}.safetensors"] = kept.state

    def manifest(digests: Digests) -> bytes:
        return Manifest.of(run, digests).dumps()

    (write_zip if path.suffix.lower() == SUFFIX else write_folder)(path, contents, manifest)


def check_free(path: Path) -> None:
    """Checks that a run may be saved there.

    Raises:
        BadInput: If the folder above is missing, or something that is not a run is in the way.
    """

    if not path.absolute().parent.is_dir():
        raise BadInput("there is no such folder to save in; make it first", source=str(path))
    if path.suffix.lower() == SUFFIX:
        if path.is_dir():
            raise BadInput(f"this is a folder; name a file ending in {SUFFIX}", source=str(path))
    elif path.exists() and not path.is_dir():
        raise BadInput(f"this file is in the way; name a folder, or a file ending in {SUFFIX}", source=str(path))
    elif path.is_dir() and any(path.iterdir()) and not _is_run(path):
        raise BadInput("this folder holds something else; name an empty folder or a new one", source=str(path))


def load_run(path: str | os.PathLike[str], timeline: bool = True) -> Run:
    """Reads a saved run.

    Arguments:
        path: The file or folder.
        timeline: Whether to read the timeline too, which is the most of it.

    Raises:
        BadInput: If it is missing, broken, newer than this program, or not a run. The message names file and mend.
    """

    path = Path(path)
    try:
        if path.is_dir():
            return _Reader(Foldered(path), path).run(timeline)
        with path.open("rb") as file:
            return _Reader(Zipped(file), path).run(timeline)
    except OSError as fault:
        reason = (fault.strerror or "cannot be read").lower()
        raise BadInput(f"{reason}; give a saved run", source=str(path)) from None
    except BadInput as fault:
        raise fault if fault.source else fault.within(source=str(path)) from None


class _Reader:
    """Reads the members of a session file, each checked against the manifest."""

    def __init__(self, box: Box, path: Path) -> None:
        self._box, self._path = box, path
        self._manifest = Manifest.loads(self._read(MANIFEST, MOST_JSON))
        first = self._manifest.version == 1
        self._base = (path.parent if first and not path.is_dir() else path).absolute()

    def run(self, timeline: bool) -> Run:
        """Returns the run."""

        if self._manifest.version == 1:
            self._demand_one_run()
            return self._core()
        core = self._core()
        state, series = self._optional(STATE, MOST_TENSORS), self._optional(SERIES, MOST_TENSORS)
        log, moments = self._optional(LOG, MOST_JSON), self._optional(MOMENTS, MOST_JSON)
        thumbnail = self._optional(THUMBNAIL, MOST_PICTURE)
        return replace(
            core,
            log=members.load_log(log, self._base, self._manifest.step) if log else (),
            state=self._state(state) if state else None,
            series=members.load_series(series) if series else {},
            kept=self._timeline() if timeline else (),
            moments=members.load_moments(moments) if moments else (),
            view=members.load_object(self._optional(VIEW, MOST_JSON) or b"{}", VIEW),
            thumbnail=members.load_thumbnail(thumbnail) if thumbnail else b"",
        )

    def _core(self) -> Run:
        recipe, weights = self._member(RECIPE, MOST_JSON), self._member(WEIGHTS, MOST_TENSORS)
        run = Run(
            recipe=self._recipe(recipe),
            weights=members.load_weights(weights, WEIGHTS),
            source=str(self._path),
            **self._manifest.facts(),
        )
        demand_size(run.recipe.energy, run.weights or {})
        return run

    def _recipe(self, content: bytes) -> Recipe:
        source = str(self._path / RECIPE)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise BadInput("this is not text; save the run again", source=source) from None
        if members.is_long(content):
            raise BadInput(f"it holds more than {members.MOST_VALUES:,} values; give a saved run", source=source)
        return Recipe.loads(text, source, self._base)

    def _state(self, content: bytes) -> State:
        state = State.loads(content)
        if state.step != self._manifest.step:
            raise BadInput(
                f"it is of step {state.step}, and the run of step {self._manifest.step}; save it again", key="state"
            )
        return state

    def _timeline(self) -> tuple[Kept, ...]:
        """Returns what is kept of the timeline, apart from the file."""

        spool = Spool()
        blobs: dict[str, dict[int, Part]] = {"frames": {}, "states": {}}
        for name in self._manifest.members:
            if match := _KEPT.fullmatch(name):
                blobs[match[1]][int(match[2])] = spool.add(self._member(name, MOST_TENSORS))
        return tuple(Kept(step, blobs["frames"][step], blobs["states"].get(step)) for step in sorted(blobs["frames"]))

    def _optional(self, name: str, most: int) -> bytes:
        return self._member(name, most) if name in self._manifest.members else b""

    def _member(self, name: str, most: int) -> bytes:
        """Returns the content of a member, which has the digest that the manifest gives."""

        if self._manifest.version == 1:
            return self._read(name, most)
        wanted = self._manifest.members.get(name)
        for place in (name, name + PART):  # beside it lies what a killed program had written but not yet renamed
            if place in self._box and hashlib.sha256(content := self._read(place, most)).hexdigest() == wanted:
                return content
        if name not in self._box:
            raise _missing(name)
        raise BadInput(f"{name[:60]} is broken or not of this run; save it again", key="members")

    def _read(self, name: str, most: int) -> bytes:
        if name not in self._box:
            raise _missing(name)
        if self._box.size(name) > most:
            raise BadInput(f"{name} has more than {most >> 20} MiB; give a saved run")
        return b"".join(self._box.pieces(name))

    def _demand_one_run(self) -> None:
        both = self._read(RECIPE, MOST_JSON) + self._read(WEIGHTS, MOST_TENSORS)
        if hashlib.sha256(both).hexdigest() != self._manifest.digest:
            raise BadInput("the recipe and the weights are not of one run; save it again", key="digest")


def _written(recipe: Recipe) -> bytes:
    content = recipe.dumps().encode()
    if members.is_long(content):
        raise BadInput(f"it holds more than {members.MOST_VALUES:,} values; put the points into a file", key="target")
    return content


def _contents(run: Run) -> dict[str, Content]:
    """Returns what there is of a run besides recipe, log, timeline and files."""

    if run.weights is None:
        raise BadInput("there is nothing trained to save; train it first", source=run.source)
    contents: dict[str, Content] = {WEIGHTS: members.dump_weights(run.weights)}
    if run.state is not None:
        contents[STATE] = run.state.dumps()
    if run.series:
        contents[SERIES] = members.dump_series(run.series)
    if run.moments:
        contents[MOMENTS] = members.dump_moments(run.moments)
    if run.view:
        contents[VIEW] = members.dump_json(run.view)
    return contents | ({THUMBNAIL: run.thumbnail} if run.thumbnail else {})


def _is_run(path: Path) -> bool:
    return (path / MANIFEST).exists() or (path / (MANIFEST + PART)).exists()


def _missing(name: str) -> BadInput:
    return BadInput(f"{name[:60]} is missing; give a saved run, which holds {RECIPE}, {WEIGHTS} and {MANIFEST}")
