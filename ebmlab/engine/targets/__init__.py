"""What the data come from. A new target is a file here and an import below."""

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.gaussian import Gaussian

__all__ = ["TARGETS", "Density", "Gaussian", "Target"]
