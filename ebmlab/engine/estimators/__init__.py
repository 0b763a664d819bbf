"""Published ways to fit an energy to data. A new one is a file here and an import below."""

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Memory, Terms
from ebmlab.engine.estimators.cd import ContrastiveDivergence
from ebmlab.engine.estimators.dsm import DenoisingScoreMatching
from ebmlab.engine.estimators.ism import ImplicitScoreMatching
from ebmlab.engine.estimators.mle import MaximumLikelihood
from ebmlab.engine.estimators.nce import NoiseContrastiveEstimation
from ebmlab.engine.estimators.noise import GaussianNoise
from ebmlab.engine.estimators.pcd import PersistentContrastiveDivergence
from ebmlab.engine.estimators.ssm import SlicedScoreMatching

__all__ = [
    "ESTIMATORS",
    "Batch",
    "ContrastiveDivergence",
    "DenoisingScoreMatching",
    "Estimator",
    "GaussianNoise",
    "ImplicitScoreMatching",
    "MaximumLikelihood",
    "Memory",
    "NoiseContrastiveEstimation",
    "PersistentContrastiveDivergence",
    "SlicedScoreMatching",
    "Terms",
]
