"""Estimators of log Z. A new one is a file here and an import below."""

from ebmlab.engine.logz.ais import AIS, ReverseAIS
from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.logz.bridge import BridgeSampling
from ebmlab.engine.logz.importance import ImportanceSampling
from ebmlab.engine.logz.jarzynski import Jarzynski
from ebmlab.engine.logz.laplace import Laplace
from ebmlab.engine.logz.mbar import MultistateBennett
from ebmlab.engine.logz.nce import NoiseContrast
from ebmlab.engine.logz.nested import NestedSampling
from ebmlab.engine.logz.quadrature import Quadrature
from ebmlab.engine.logz.reverse_importance import ReverseImportanceSampling
from ebmlab.engine.logz.sandwich import Sandwich, Slice, sandwich
from ebmlab.engine.logz.smc import SequentialMonteCarlo
from ebmlab.engine.logz.thermodynamic import ThermodynamicIntegration
from ebmlab.engine.logz.variational import CUBO, ELBO
from ebmlab.engine.logz.wang_landau import WangLandau

__all__ = [
    "AIS",
    "CUBO",
    "ELBO",
    "LOG_ZS",
    "BridgeSampling",
    "ImportanceSampling",
    "Jarzynski",
    "Laplace",
    "LogZ",
    "LogZMethod",
    "MultistateBennett",
    "NestedSampling",
    "NoiseContrast",
    "Quadrature",
    "ReverseAIS",
    "ReverseImportanceSampling",
    "Sandwich",
    "Scene",
    "SequentialMonteCarlo",
    "Slice",
    "ThermodynamicIntegration",
    "WangLandau",
    "sandwich",
]
