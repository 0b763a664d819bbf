"""What exhibits measure besides the exact figures. A new measure is a file here and an import below."""

from ebmlab.session.gallery.measures.algebra import Algebra
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.gallery.measures.bridging import Bridging
from ebmlab.session.gallery.measures.critic import CriticError
from ebmlab.session.gallery.measures.crossings import Crossings
from ebmlab.session.gallery.measures.dimensions import Dimensions
from ebmlab.session.gallery.measures.escape import Escape
from ebmlab.session.gallery.measures.estimates import Estimates
from ebmlab.session.gallery.measures.free_energy import FreeEnergy
from ebmlab.session.gallery.measures.gradients import Agreement, Gradient, Scatter
from ebmlab.session.gallery.measures.negatives import Negatives
from ebmlab.session.gallery.measures.oscillation import Oscillation
from ebmlab.session.gallery.measures.sampling import Sampling
from ebmlab.session.gallery.measures.sandwiches import SandwichOfRungs

__all__ = [
    "MEASURES",
    "Agreement",
    "Algebra",
    "Bridging",
    "CriticError",
    "Crossings",
    "Dimensions",
    "Escape",
    "Estimates",
    "FreeEnergy",
    "Gradient",
    "Measure",
    "Negatives",
    "Oscillation",
    "Sampling",
    "SandwichOfRungs",
    "Scatter",
]
