"""Energies: networks, basis expansions, formulas. A new one is a file here and an import below."""

from ebmlab.engine.energies.autoregressive import Autoregressive
from ebmlab.engine.energies.base import ENERGIES, EnergyNet, EnergySpec, NormalisedNet, count
from ebmlab.engine.energies.convex import Convex
from ebmlab.engine.energies.flow import Flow
from ebmlab.engine.energies.formula import Formula
from ebmlab.engine.energies.fourier import Fourier
from ebmlab.engine.energies.kernel_density import KernelDensity
from ebmlab.engine.energies.lattice import FreeLattice
from ebmlab.engine.energies.matching import matched
from ebmlab.engine.energies.mixture import Mixture
from ebmlab.engine.energies.mixture_density import MixtureDensity
from ebmlab.engine.energies.mlp import MLP
from ebmlab.engine.energies.product import Product
from ebmlab.engine.energies.quadratic import Quadratic
from ebmlab.engine.energies.rbf import RBF
from ebmlab.engine.energies.residual import ResidualPerceptron
from ebmlab.engine.energies.vae import VAE

__all__ = [
    "ENERGIES",
    "MLP",
    "RBF",
    "VAE",
    "Autoregressive",
    "Convex",
    "EnergyNet",
    "EnergySpec",
    "Flow",
    "Formula",
    "Fourier",
    "FreeLattice",
    "KernelDensity",
    "Mixture",
    "MixtureDensity",
    "NormalisedNet",
    "Product",
    "Quadratic",
    "ResidualPerceptron",
    "count",
    "matched",
]
