"""Markov kernels, and the exact sampler that they are judged by. A new one is a file here and an import below."""

from ebmlab.engine.samplers.annealed_langevin import AnnealedLangevin
from ebmlab.engine.samplers.baoab import UnderdampedLangevin
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler
from ebmlab.engine.samplers.exact import ExactSampler
from ebmlab.engine.samplers.gradient_descent import GradientDescent
from ebmlab.engine.samplers.hmc import HamiltonianMonteCarlo
from ebmlab.engine.samplers.leimkuhler_matthews import LeimkuhlerMatthews
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.engine.samplers.mclmc import MicrocanonicalLangevin
from ebmlab.engine.samplers.nuts import NoUTurnSampler
from ebmlab.engine.samplers.parallel_tempering import ParallelTempering
from ebmlab.engine.samplers.rwm import RandomWalkMetropolis
from ebmlab.engine.samplers.slice import SliceSampler
from ebmlab.engine.samplers.smc import SequentialMonteCarlo
from ebmlab.engine.samplers.svgd import SteinVariationalGradientDescent
from ebmlab.engine.samplers.ula import UnadjustedLangevin

__all__ = [
    "SAMPLERS",
    "AnnealedLangevin",
    "Chains",
    "ExactSampler",
    "GradientDescent",
    "HamiltonianMonteCarlo",
    "Info",
    "LeimkuhlerMatthews",
    "MetropolisLangevin",
    "MicrocanonicalLangevin",
    "NoUTurnSampler",
    "ParallelTempering",
    "RandomWalkMetropolis",
    "Sampler",
    "SequentialMonteCarlo",
    "SliceSampler",
    "SteinVariationalGradientDescent",
    "UnadjustedLangevin",
    "UnderdampedLangevin",
]
