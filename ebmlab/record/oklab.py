r"""OKLab: lightness L in [0, 1] and two opponent colours a, b, in which straight lines look even.

.. math:: \mathrm{Lab} = M_2 \, \sqrt[3]{M_1 \, \mathrm{linear\ sRGB}}

References:
    | A perceptual color space for image processing (Ottosson, 2020)
    | https://bottosson.github.io/posts/oklab/
"""

from __future__ import annotations

import numpy as np

_M1 = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_M2 = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def from_hex(colour: str) -> np.ndarray:
    """Returns ``#rrggbb`` as sRGB in [0, 1], with shape (3,)."""

    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """Maps sRGB in [0, 1] to OKLab, both with shape (*, 3)."""

    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _M1.T) @ _M2.T


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """Maps OKLab to sRGB in [0, 1], both with shape (*, 3); colours that no screen can show are clipped."""

    linear = (lab @ np.linalg.inv(_M2).T) ** 3 @ np.linalg.inv(_M1).T
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).clip(0, 1)
