"""Published ways to fit an energy to data. A new one is a file here and an import below."""

from ebmlab.engine.estimators.adversarial import AdversarialTraining
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Memory, Terms
from ebmlab.engine.estimators.cd import ContrastiveDivergence
from ebmlab.engine.estimators.cnce import ConditionalNoiseContrastiveEstimation
from ebmlab.engine.estimators.dsm import DenoisingScoreMatching
from ebmlab.engine.estimators.ed import EnergyDiscrepancy
from ebmlab.engine.estimators.elbo import EvidenceLowerBound
from ebmlab.engine.estimators.ence import ExponentialNoiseContrastiveEstimation
from ebmlab.engine.estimators.fce import FlowContrastiveEstimation
from ebmlab.engine.estimators.is_mle import ImportanceSampledLikelihood
from ebmlab.engine.estimators.ism import ImplicitScoreMatching
from ebmlab.engine.estimators.jarzynski import JarzynskiReweighting
from ebmlab.engine.estimators.ksd import KernelSteinDiscrepancy
from ebmlab.engine.estimators.likelihood import Likelihood
from ebmlab.engine.estimators.lsd import LearnedSteinDiscrepancy
from ebmlab.engine.estimators.mle import MaximumLikelihood
from ebmlab.engine.estimators.mpf import MinimumProbabilityFlow
from ebmlab.engine.estimators.nce import NoiseContrastiveEstimation
from ebmlab.engine.estimators.noise import GaussianNoise
from ebmlab.engine.estimators.pcd import PersistentContrastiveDivergence
from ebmlab.engine.estimators.pseudo_likelihood import PseudoLikelihood
from ebmlab.engine.estimators.pt_pcd import TemperedPersistentContrastiveDivergence
from ebmlab.engine.estimators.ranking_nce import RankingNoiseContrastiveEstimation
from ebmlab.engine.estimators.recovery import RecoveryLikelihood
from ebmlab.engine.estimators.short_run import ShortRun
from ebmlab.engine.estimators.ssm import SlicedScoreMatching
from ebmlab.engine.estimators.tre import TelescopingRatios

__all__ = [
    "ESTIMATORS",
    "AdversarialTraining",
    "Batch",
    "ConditionalNoiseContrastiveEstimation",
    "ContrastiveDivergence",
    "DenoisingScoreMatching",
    "EnergyDiscrepancy",
    "Estimator",
    "EvidenceLowerBound",
    "ExponentialNoiseContrastiveEstimation",
    "FlowContrastiveEstimation",
    "GaussianNoise",
    "ImplicitScoreMatching",
    "ImportanceSampledLikelihood",
    "JarzynskiReweighting",
    "KernelSteinDiscrepancy",
    "LearnedSteinDiscrepancy",
    "Likelihood",
    "MaximumLikelihood",
    "Memory",
    "MinimumProbabilityFlow",
    "NoiseContrastiveEstimation",
    "PersistentContrastiveDivergence",
    "PseudoLikelihood",
    "RankingNoiseContrastiveEstimation",
    "RecoveryLikelihood",
    "ShortRun",
    "SlicedScoreMatching",
    "TelescopingRatios",
    "TemperedPersistentContrastiveDivergence",
    "Terms",
]
