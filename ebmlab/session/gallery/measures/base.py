from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from ebmlab.engine.types import Rng, Work
from ebmlab.session.session import Session
from ebmlab.spec import Component, Registry, knob


@dataclass(frozen=True, kw_only=True)
class Measure(Component, ABC):
    """Abstract way to get numbers out of a trained session."""

    name: str = knob("", "What stands before the names of its figures, with an underscore between.")

    @abstractmethod
    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        """Returns figures by their names, in pieces.

        Arguments:
            session: The session that is measured, after its last step.
            rivals: The sessions of the exhibit's other runs, by their names.
            rng: What its draws come from, on the session's device.
        """

    def named(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Returns figures with the measure's name put before theirs."""

        return {f"{self.name}_{key}" if self.name else key: value for key, value in figures.items()}


MEASURES: Registry[Measure] = Registry("measure")
