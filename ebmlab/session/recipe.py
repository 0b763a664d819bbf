"""The recipe: a whole experiment as one frozen value, and its file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebmlab.engine.energies import MLP, EnergySpec
from ebmlab.engine.estimators import Estimator, PersistentContrastiveDivergence
from ebmlab.engine.logz import AIS, LogZMethod
from ebmlab.engine.optimizers import Adam, Optimizer
from ebmlab.engine.samplers import Sampler, UnadjustedLangevin
from ebmlab.engine.targets import Target, TwoMoons
from ebmlab.engine.types import Window
from ebmlab.spec import BadInput, Component, decode, encode, knob, part, parts

FORMAT = "ebmlab-recipe"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Data(Component):
    """Which points of the target are trained on."""

    size: int = knob(
        0,
        "0 draws fresh points for ever; n fixes n training points, and as many held out.",
        low=0,
        high=1_000_000,
        soft=(0, 2000),
        symbol="n",
    )


@dataclass(frozen=True, kw_only=True)
class Recipe(Component):
    """A target, an energy, and how to fit, sample and normalise it."""

    seed: int = knob(0, "Seed of every random number.", low=0, high=2**31 - 1, soft=(0, 100), live=False)
    target: Target = part("target", TwoMoons(), "Where the data come from.")
    data: Data = part("", Data(), "Which points of the target are trained on.")
    energy: EnergySpec = part("energy", MLP(), "The model: any function of the point.", live=False)
    estimator: Estimator = part("estimator", PersistentContrastiveDivergence(), "How the energy is fitted.")
    optimizer: Optimizer = part("optimizer", Adam(), "How the weights follow the gradient.")
    batch: int = knob(256, "Points per training step.", low=1, high=65536, soft=(16, 4096), scale="log")
    sampler: Sampler = part("sampler", UnadjustedLangevin(), "What moves the particles on the screen.")
    log_z: tuple[LogZMethod, ...] = parts("log-z", (AIS(),), "How log Z is estimated, beside its exact value.")
    window: Window = knob(
        (-6.0, 6.0, -6.0, 6.0), "Left, right, bottom and top of the plane.", shape=(4,), low=-1e6, high=1e6
    )

    def validate(self) -> None:
        left, right, bottom, top = self.window
        if not (left < right and bottom < top):
            raise BadInput("left must be below right and bottom below top; try [-6, 6, -6, 6]", key="window")
        if why := self.estimator.refusal(self.energy):
            raise BadInput(why, key="estimator")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recipe:
        """Reads a recipe file; the paths in it are relative to its folder.

        Raises:
            BadInput: If it is missing, broken or newer than this program. The message names the file and the mend.
        """

        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as fault:
            raise BadInput(
                f"{(fault.strerror or 'cannot be read').lower()}; give a recipe file", source=str(path)
            ) from None
        except UnicodeDecodeError:
            raise BadInput("this is not a text file; give a recipe in JSON", source=str(path)) from None
        return cls.loads(text, source=str(path), base=Path(path).absolute().parent)

    @classmethod
    def loads(cls, text: str, source: str = "", base: Path | None = None) -> Recipe:
        """Reads a recipe from its JSON text."""

        try:
            return _decode(json.loads(text, parse_constant=_refuse), base)
        except json.JSONDecodeError as fault:
            message = f"line {fault.lineno}, column {fault.colno}: {fault.msg}; mend the JSON there"
            raise BadInput(message, source=source) from None
        except RecursionError:
            raise BadInput("the JSON is nested too deeply; give a recipe", source=source) from None
        except BadInput as fault:
            raise fault.within(source=source) from None
        except ValueError:  # Python reads no integer of more than some thousand digits
            raise BadInput("a number in it has too many digits; write it shorter", source=source) from None

    def dumps(self) -> str:
        """Returns the recipe as JSON text, every knob written out."""

        return json.dumps({"format": FORMAT, "version": VERSION, **encode(self)}, indent=1, ensure_ascii=False) + "\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the recipe file: beside and renamed, so that a kill never leaves half a file."""

        path = Path(path)
        beside = path.with_name(path.name + ".part")
        beside.write_text(self.dumps(), encoding="utf-8")
        beside.replace(path)


def _decode(data: Any, base: Path | None) -> Recipe:
    if not isinstance(data, dict):
        raise BadInput('a recipe is a JSON object, such as {"target": {"kind": "ring"}}')
    data = dict(data)
    if (found := data.pop("format", FORMAT)) != FORMAT:
        raise BadInput(f"{str(found)[:60]!r} is not a recipe; give {FORMAT!r}", key="format")
    version = data.pop("version", VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadInput(f"{str(version)[:60]!r} is no version; give {VERSION}", key="version")
    if version > VERSION:
        message = f"this file is of version {version}, and this program reads up to {VERSION}; get a newer ebmlab"
        raise BadInput(message, key="version")
    return decode(data, Recipe(), base=base)


def _refuse(constant: str) -> float:
    raise BadInput(f"{constant} is not a number that a recipe may hold; give a finite one")
