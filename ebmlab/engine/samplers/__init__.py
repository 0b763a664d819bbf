"""Markov kernels, and the exact sampler that they are judged by. A new one is a file here and an import below."""

from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler
from ebmlab.engine.samplers.exact import ExactSampler
from ebmlab.engine.samplers.hmc import HamiltonianMonteCarlo
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.engine.samplers.ula import UnadjustedLangevin

__all__ = [
    "SAMPLERS",
    "Chains",
    "ExactSampler",
    "HamiltonianMonteCarlo",
    "Info",
    "MetropolisLangevin",
    "Sampler",
    "UnadjustedLangevin",
]
