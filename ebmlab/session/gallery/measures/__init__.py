"""What exhibits measure besides the exact figures. A new measure is a file here and an import below."""

from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.gallery.measures.sampling import Sampling

__all__ = ["MEASURES", "Measure", "Sampling"]
