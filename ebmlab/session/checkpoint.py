"""A saved run: the recipe, the weights and a manifest, as a folder or zipped into one ``.ebmlab`` file.

.. code-block:: text

    recipe.json           the recipe, every knob written out
    weights.safetensors   the energy's parameters
    run.json              {"format": "ebmlab-run", "version": 1, "step", "seed", "device", "digest", "evaluation"}

Nothing in it can hold code. The digest is of the other two members, so that halves of two runs are never taken for one.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.spec import BadInput

FORMAT = "ebmlab-run"
VERSION = 1
SUFFIX = ".ebmlab"
RECIPE, WEIGHTS, MANIFEST = "recipe.json", "weights.safetensors", "run.json"
MOST_BYTES = {RECIPE: 2**26, WEIGHTS: 2**29, MANIFEST: 2**24}
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a saved run holds.

    Arguments:
        recipe: The experiment.
        weights: The energy's parameters by name; None where it is untrained.
        step: How many steps it has been trained.
        device: What it was trained on.
        evaluation: The exact figures of these weights, as ``ebmlab evaluate --json`` prints them.
        source: The file or folder that it was read from.
    """

    recipe: Recipe
    weights: Mapping[str, Tensor] | None = None
    step: int = 0
    device: str = ""
    evaluation: dict[str, Any] = field(default_factory=dict)
    source: str = ""


def save_run(session: Session, path: str | os.PathLike[str], evaluation: Mapping[str, Any] | None = None) -> None:
    """Saves a session, to one file if the path ends in ``.ebmlab``, else to a folder; every file beside and renamed.

    Raises:
        BadInput: If something else is in the way.
    """

    path = Path(path)
    check_free(path)
    members = _members(session, evaluation or {})
    if path.suffix.lower() == SUFFIX:
        beside = path.with_name(path.name + ".part")
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        beside.replace(path)
        return
    path.mkdir(exist_ok=True)
    for name, content in members.items():
        (path / (name + ".part")).write_bytes(content)
    for name in members:  # the manifest last: without it the folder is no run
        (path / (name + ".part")).replace(path / name)


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
    elif path.is_dir() and any(path.iterdir()) and not (path / MANIFEST).exists():
        raise BadInput("this folder holds something else; name an empty folder or a new one", source=str(path))


def load_run(path: str | os.PathLike[str]) -> Run:
    """Reads a saved run.

    Raises:
        BadInput: If it is missing, broken, newer than this program, or not a run. The message names file and mend.
    """

    path = Path(path)
    try:
        contents = _from_folder(path) if path.is_dir() else _from_file(path)
        manifest = _manifest(contents[MANIFEST])
        if manifest["digest"] != _digest(contents):
            raise BadInput("the recipe and the weights are not of one run; save it again", key="digest")
        weights = _weights(contents[WEIGHTS])
    except OSError as fault:
        reason = (fault.strerror or "cannot be read").lower()
        raise BadInput(f"{reason}; give a saved run", source=str(path)) from None
    except BadInput as fault:
        raise fault.within(source=str(path)) from None
    source = str(path / RECIPE)
    text = _text(contents[RECIPE], source)
    recipe = Recipe.loads(text, source=source, base=(path if path.is_dir() else path.parent).absolute())
    facts = {key: manifest[key] for key in ("step", "device", "evaluation")}
    return Run(recipe=recipe, weights=weights, source=str(path), **facts)


def open_run(run: Run, device: str = "auto") -> Session:
    """Returns a session that goes on from a saved run, with a fresh optimiser and fresh chains.

    Raises:
        BadInput: If the weights are not those of the recipe's energy.
    """

    return restore(Session(run.recipe, device), run)


def restore(session: Session, run: Run) -> Session:
    """Gives a fresh session of a run's recipe the run's weights and step; returns it.

    Raises:
        BadInput: If the weights are not those of the session's energy, which then keeps its own.
    """

    if run.weights is None:
        return session
    wanted = session.net.state_dict()
    shapes = {name: tuple(w.shape) for name, w in wanted.items()}
    found = {name: tuple(w.shape) for name, w in run.weights.items()}
    if shapes != found:
        odd = next(name for name in [*shapes, *found] if shapes.get(name) != found.get(name))
        message = f"{odd[:80]} has shape {found.get(odd, 'none')}, and the recipe's energy {shapes.get(odd, 'none')}"
        raise BadInput(f"{message}; give the recipe that it was trained with", key="weights", source=run.source)
    session.net.load_state_dict({name: w.to(wanted[name]) for name, w in run.weights.items()})
    session.count = run.step
    return session


def _members(session: Session, evaluation: Mapping[str, Any]) -> dict[str, bytes]:
    weights = {name: w.detach().cpu().contiguous() for name, w in session.net.state_dict().items()}
    contents = {RECIPE: session.recipe.dumps().encode(), WEIGHTS: save(weights)}
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "step": session.count,
        "seed": session.recipe.seed,
        "device": str(session.device),
        "digest": _digest(contents),
        "evaluation": dict(evaluation),
    }
    return {**contents, MANIFEST: (json.dumps(manifest, indent=1, allow_nan=False) + "\n").encode()}


def _digest(contents: Mapping[str, bytes]) -> str:
    return hashlib.sha256(contents[RECIPE] + contents[WEIGHTS]).hexdigest()


def _from_folder(path: Path) -> dict[str, bytes]:
    def read(name: str, most: int) -> bytes:
        if not (path / name).exists():
            raise _missing(name)
        if (path / name).resolve().parent != path.resolve():
            raise BadInput(f"{name} leads out of the folder; put the file itself there")
        with (path / name).open("rb") as file:
            return file.read(most + 1)

    return _read(read)


def _from_file(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            for name in names:
                if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
                    raise BadInput(f"it holds {name[:60]!r}, which leads out of the file; save the run again")

            def read(name: str, most: int) -> bytes:
                if name not in names:
                    raise _missing(name)
                with archive.open(name) as member:
                    return member.read(most + 1)

            return _read(read)
    except BadInput:
        raise
    except _BROKEN_ZIP:
        raise BadInput("this is not a whole saved run; save it again") from None


def _read(read: Callable[[str, int], bytes]) -> dict[str, bytes]:
    contents = {name: read(name, most) for name, most in MOST_BYTES.items()}
    for name, most in MOST_BYTES.items():
        if len(contents[name]) > most:
            raise BadInput(f"{name} has more than {most >> 20} MiB; give a saved run")
    return contents


def _missing(name: str) -> BadInput:
    return BadInput(f"{name} is missing; give a saved run, which holds {RECIPE}, {WEIGHTS} and {MANIFEST}")


def _manifest(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(_text(content, ""))
    except (ValueError, RecursionError) as fault:
        if isinstance(fault, BadInput):
            raise
        raise BadInput(f"{MANIFEST} is broken; save the run again") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInput(f"{MANIFEST} is not of a run; give format {FORMAT!r}", key="format")
    version = data.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        message = f"this run is of version {version}, and this program reads up to {VERSION}; get a newer ebmlab"
        raise BadInput(message, key="version")
    kinds = {"version": int, "step": int, "device": str, "digest": str, "evaluation": dict}
    for key, kind in kinds.items():
        if type(data.get(key)) is not kind or (kind is int and not 0 <= data[key] < 2**53):
            raise BadInput(f"{MANIFEST} does not say; save the run again", key=key)
    return data


def _weights(content: bytes) -> dict[str, Tensor]:
    try:
        weights: dict[str, Tensor] = load(content)
    except (SafetensorError, ValueError, KeyError, OverflowError, RuntimeError):
        raise BadInput(f"{WEIGHTS} is broken; save the run again", key="weights") from None
    for name, w in weights.items():
        if w.dtype != torch.float32:
            raise BadInput(f"{name[:80]} holds {w.dtype}; give float32", key="weights")
        if not math.isfinite(w.abs().sum(dtype=torch.float64).item()):
            raise BadInput(f"{name[:80]} holds a number that is not finite; go back to an earlier run", key="weights")
    return weights


def _text(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadInput("this is not text; save the run again", source=source) from None
