"""Published ways to fit an energy to data. A new one is a file here and an import below."""

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Memory, Terms
from ebmlab.engine.estimators.pcd import PersistentContrastiveDivergence

__all__ = ["ESTIMATORS", "Batch", "Estimator", "Memory", "PersistentContrastiveDivergence", "Terms"]
