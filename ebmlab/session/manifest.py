from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ebmlab.session.members import dump_json, is_step, load_json
from ebmlab.session.run import Run
from ebmlab.spec import BadInput

FORMAT = "ebmlab-run"
VERSION = 2
NAME = "run.json"
_TEXTS = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a session file says of itself.

    Arguments:
        version: Of the format: 1 had a recipe and weights alone.
        step: How many steps were taken.
        device: What it was trained on.
        evaluation: The exact figures.
        members: The SHA-256 of every other member, by name.
        seed: The recipe's.
        seconds: Time spent training.
        versions: What the bits depend on besides the recipe.
        digest: In version 1, the SHA-256 of recipe and weights.
    """

    version: int = VERSION
    step: int
    device: str
    evaluation: Mapping[str, Any]
    members: _TEXTS = field(default_factory=dict)
    seed: int = 0
    seconds: float = 0.0
    versions: _TEXTS = field(default_factory=dict)
    digest: str = ""

    @classmethod
    def of(cls, run: Run, digests: _TEXTS) -> Manifest:
        """Returns the manifest of a run whose other members have these digests."""

        return cls(
            step=run.step,
            seed=run.recipe.seed,
            device=run.device,
            evaluation=run.evaluation,
            seconds=run.seconds,
            versions=run.versions,
            members=digests,
        )

    def dumps(self) -> bytes:
        """Returns it as JSON."""

        data = {name: value for name, value in vars(self).items() if name != "digest"}
        return dump_json({"format": FORMAT, **data}, indent=1)

    @classmethod
    def loads(cls, content: bytes) -> Manifest:
        """Reads a manifest.

        Raises:
            BadInput: If it is broken or newer than this program. The message names the key.
        """

        data = load_json(content, NAME)
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise BadInput(f"{NAME} is not of a run; give format {FORMAT!r}", key="format")
        version = data.get("version")
        if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
            shown = str(version)[:20]
            message = f"this run is of version {shown}, and this program reads up to {VERSION}; get a newer ebmlab"
            raise BadInput(message, key="version")
        wanted = _WANTED | (_OF_FIRST if version == 1 else _OF_SECOND)
        for key, sound in wanted.items():
            if key not in data or not sound(data[key]):
                raise BadInput(f"{NAME} does not say; save the run again", key=key)
        return cls(**{key: data[key] for key in wanted})

    def facts(self) -> dict[str, Any]:
        """Returns what a run has from here."""

        return {name: getattr(self, name) for name in ("step", "device", "evaluation", "seconds", "versions")}


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 1e12 and math.isfinite(value)


_Sound = Callable[[Any], bool]
_WANTED: dict[str, _Sound] = {
    "version": lambda value: type(value) is int and value >= 1,
    "step": is_step,
    "device": lambda value: isinstance(value, str),
    "evaluation": lambda value: isinstance(value, dict),
}
_OF_FIRST: dict[str, _Sound] = {"digest": lambda value: isinstance(value, str)}
_OF_SECOND: dict[str, _Sound] = {"members": _texts, "seed": is_step, "seconds": _seconds, "versions": _texts}
