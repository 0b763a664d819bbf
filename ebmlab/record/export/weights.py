"""The weights, as safetensors with the recipe in its metadata, and back: the lab's own way out and in."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import torch
from safetensors.torch import save

from ebmlab.engine.types import Work
from ebmlab.record.export.base import Check, Source
from ebmlab.record.export.checks import check, exact
from ebmlab.session import members
from ebmlab.session.fitting import demand_size, demand_weights
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.spec import BadInput

FORMAT = "ebmlab-energy"
VERSION = 1
ENDING = ".safetensors"
MOST_BYTES = 2**28
MOST_HEADER = 2**26


def write_weights(source: Source, path: Path) -> Work[Check]:
    """Writes the weights; the metadata holds format, version, recipe, step, device and log Z, all as text."""

    yield 0.2
    facts = {"format": FORMAT, "version": str(VERSION), **source.facts, "device": str(source.session.device)}
    yield 0.7
    tensors = {name: w.detach().contiguous() for name, w in source.net.state_dict().items()}
    path.write_bytes(save(tensors, facts))
    run = load_weights(path)
    again = run.recipe.energy.build(torch.Generator(), source.session.density.dim).requires_grad_(False)
    again.load_state_dict(dict(run.weights or {}))
    return check("the lab", source.net, source.session.recipe.window, lambda x: exact(again, x))


def load_weights(path: str | os.PathLike[str]) -> Run:
    """Reads what :func:`write_weights` has written, as a run with weights alone to go on from.

    Raises:
        BadInput: If it is missing, broken, newer than this program, or not of the lab. The message names the file.
    """

    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # opening a pipe might wait for ever
            raise BadInput(f"this is no file; give a {ENDING} file that the lab has written")
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"it has more than {MOST_BYTES >> 20} MiB; give weights of the lab")
        return _run(path.read_bytes(), path)
    except OSError as fault:
        reason = (fault.strerror or "cannot be read").lower()
        raise BadInput(f"{reason}; give a {ENDING} file that the lab has written", source=str(path)) from None
    except BadInput as fault:
        raise fault.within(source=str(path)) from None


def _run(content: bytes, path: Path) -> Run:
    facts = _facts(content)
    _demand_known(facts)
    text = facts.get("recipe", "")
    if members.is_long(text.encode(errors="replace")):
        raise BadInput("the recipe in it is too long; export it again", key="recipe")
    recipe = Recipe.loads(text, base=path.absolute().parent)
    weights = members.load_weights(content, path.name)
    demand_size(recipe.energy, weights)
    demand_weights(recipe.energy.build(torch.Generator()), weights)
    return Run(recipe=recipe, weights=weights, step=_step(facts), device=facts.get("device", "")[:80], source=str(path))


def _facts(content: bytes) -> dict[str, str]:
    """Returns the metadata of safetensors; the format is eight bytes of length and then a JSON object."""

    length = int.from_bytes(content[:8], "little")
    try:
        if not 2 <= length <= min(MOST_HEADER, len(content) - 8):
            raise ValueError("no header")
        facts = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
        if not all(isinstance(value, str) for value in facts.values()):
            raise ValueError("no texts")
    except (ValueError, AttributeError, RecursionError):
        raise BadInput("this is no safetensors file; give one that `ebmlab export` has written") from None
    return dict(facts)


def _demand_known(facts: dict[str, str]) -> None:
    if facts.get("format") != FORMAT:
        raise BadInput("these weights come without a recipe of the lab; give a file that `ebmlab export` has written")
    version = facts.get("version", "")
    if not (version.isascii() and version.isdigit() and 1 <= len(version) <= 9):
        raise BadInput("it does not say which version it is; export it again", key="version")
    if int(version) > VERSION:
        message = f"it is of version {int(version)}, and this program reads up to {VERSION}; get a newer ebmlab"
        raise BadInput(message, key="version")


def _step(facts: dict[str, str]) -> int:
    try:
        step = float(facts.get("step", ""))
    except ValueError:
        step = math.nan
    if not (0 <= step < 2**53 and step.is_integer()):
        raise BadInput("it does not say how long it was trained; export it again", key="step")
    return int(step)
