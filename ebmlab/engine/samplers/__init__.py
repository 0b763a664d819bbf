"""Markov kernels, and the exact sampler that they are judged by. A new one is a file here and an import below."""

from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler
from ebmlab.engine.samplers.ula import UnadjustedLangevin

__all__ = ["SAMPLERS", "Chains", "Info", "Sampler", "UnadjustedLangevin"]
