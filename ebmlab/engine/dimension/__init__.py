"""Beyond the plane: energies with a known log Z in d dimensions, and what each method makes of them."""

from ebmlab.engine.dimension.problems import PROBLEMS, Posed, Problem
from ebmlab.engine.dimension.study import METHODS, Row, Step, study

__all__ = ["METHODS", "PROBLEMS", "Posed", "Problem", "Row", "Step", "study"]
