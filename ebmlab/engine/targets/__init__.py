"""What the data come from. A new target is a file here and an import below."""

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.checkerboard import Checkerboard
from ebmlab.engine.targets.curves import Spirals, TwoMoons
from ebmlab.engine.targets.drawing import Drawing
from ebmlab.engine.targets.formula import FormulaTarget
from ebmlab.engine.targets.gaussian import Gaussian
from ebmlab.engine.targets.grid import GridDensity
from ebmlab.engine.targets.image import Image
from ebmlab.engine.targets.marks import MARKS, Brush, Eraser, Mark, Spray, Stamp
from ebmlab.engine.targets.mixtures import EightGaussians, GaussianMixture, TwoModes
from ebmlab.engine.targets.points import Points
from ebmlab.engine.targets.ring import Ring

__all__ = [
    "MARKS",
    "TARGETS",
    "Brush",
    "Checkerboard",
    "Density",
    "Drawing",
    "EightGaussians",
    "Eraser",
    "FormulaTarget",
    "Gaussian",
    "GaussianMixture",
    "GridDensity",
    "Image",
    "Mark",
    "Points",
    "Ring",
    "Spirals",
    "Spray",
    "Stamp",
    "Target",
    "TwoModes",
    "TwoMoons",
]
