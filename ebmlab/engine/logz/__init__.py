"""Estimators of log Z. A new one is a file here and an import below."""

from ebmlab.engine.logz.ais import AIS, ReverseAIS
from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.logz.importance import ImportanceSampling
from ebmlab.engine.logz.quadrature import Quadrature

__all__ = ["AIS", "LOG_ZS", "ImportanceSampling", "LogZ", "LogZMethod", "Quadrature", "ReverseAIS", "Scene"]
