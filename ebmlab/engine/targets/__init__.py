"""What the data come from. A new target is a file here and an import below."""

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.bent import Banana, Funnel, Pinwheel
from ebmlab.engine.targets.checkerboard import Checkerboard
from ebmlab.engine.targets.curves import Spirals, SwissRoll, TwoMoons
from ebmlab.engine.targets.drawing import Drawing
from ebmlab.engine.targets.formula import FormulaTarget
from ebmlab.engine.targets.gaussian import Gaussian
from ebmlab.engine.targets.grid import GridDensity
from ebmlab.engine.targets.image import Image
from ebmlab.engine.targets.marks import MARKS, Brush, Eraser, Mark, Spray, Stamp
from ebmlab.engine.targets.mixtures import EightGaussians, GaussianMixture, GridGaussians, TwoModes
from ebmlab.engine.targets.points import Points
from ebmlab.engine.targets.ring import Ring, Rings
from ebmlab.engine.targets.text import Text
from ebmlab.engine.targets.wells import DoubleWell, MullerBrown

__all__ = [
    "MARKS",
    "TARGETS",
    "Banana",
    "Brush",
    "Checkerboard",
    "Density",
    "DoubleWell",
    "Drawing",
    "EightGaussians",
    "Eraser",
    "FormulaTarget",
    "Funnel",
    "Gaussian",
    "GaussianMixture",
    "GridDensity",
    "GridGaussians",
    "Image",
    "Mark",
    "MullerBrown",
    "Pinwheel",
    "Points",
    "Ring",
    "Rings",
    "Spirals",
    "Spray",
    "Stamp",
    "SwissRoll",
    "Target",
    "Text",
    "TwoModes",
    "TwoMoons",
]
