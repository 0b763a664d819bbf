"""Estimators of log Z. A new one is a file here and an import below."""

from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene

__all__ = ["LOG_ZS", "LogZ", "LogZMethod", "Scene"]
