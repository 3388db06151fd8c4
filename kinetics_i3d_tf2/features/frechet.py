"""The Frechet distance between Gaussians, and Gaussians of points as they come."""

from typing import NamedTuple

import numpy as np


class Gaussian(NamedTuple):
    """Mean and covariance of some points.

    Attributes:
        count: number of points.
        mean: float64 `(dimensions,)`.
        covariance: float64 `(dimensions, dimensions)`.
    """

    count: int
    mean: np.ndarray
    covariance: np.ndarray


class Moments:
    """Sums up points batch by batch, in float64, and holds none of them.

    Examples:
        >>> moments = Moments()
        >>> for batch in batches:
        ...     moments.add(batch)
        >>> moments.gaussian().mean
    """

    def __init__(self):
        self._count = 0
        self._mean = self._scatter = 0.0

    def add(self, points: np.ndarray) -> None:
        """Adds points `(number, dimensions)`.

        Raises:
            ValueError: they are not finite, or of another shape.
        """
        points = np.asarray(points, np.float64)
        if points.ndim != 2 or not np.isfinite(points).all():
            raise ValueError(
                "Points must be (number, dimensions) and finite. Received: shape "
                f"{points.shape}"
            )
        number = len(points)
        if not number:
            return
        mean = points.mean(0)
        centered = points - mean
        total = self._count + number
        # Around each batch's own mean: sums of squares would cancel. Source: Chan,
        # Golub and LeVeque, 'Updating formulae and a pairwise algorithm for computing
        # sample variances' (1979).
        shift = mean - self._mean
        weight = self._count * number / total
        self._scatter = (
            self._scatter + centered.T @ centered + weight * np.outer(shift, shift)
        )
        self._mean = self._mean + shift * (number / total)
        self._count = total

    def gaussian(self, *, ddof: int = 1) -> Gaussian:
        """Mean and covariance of the points so far.

        Args:
            ddof: what is subtracted from the number of points in the divisor of the
                covariance; 1 is unbiased.

        Raises:
            ValueError: they are fewer than two.
        """
        if self._count < 2:
            raise ValueError(
                f"A covariance is of at least two points. Received: {self._count}"
            )
        return Gaussian(self._count, self._mean, self._scatter / (self._count - ddof))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Squared Frechet (2-Wasserstein) distance between two Gaussians.

    `|m1 - m2|^2 + tr(c1 + c2 - 2 (c1^1/2 c2 c1^1/2)^1/2)`, by symmetric square roots,
    which also singular covariances have.

    Args:
        first: a Gaussian.
        second: one of as many dimensions.

    Returns:
        The distance, at least 0.

    Raises:
        ValueError: they are of different dimensions.

    Source: Dowson and Landau, 'The Frechet distance between multivariate normal
    distributions' (1982); as FID (arXiv 1706.08500) and FVD (arXiv 1812.01717) use it.
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(
            "The Gaussians must be of as many dimensions. Received: "
            f"{first.mean.shape} and {second.mean.shape}"
        )
    values, vectors = np.linalg.eigh(first.covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ second.covariance @ root)
    between = np.square(first.mean - second.mean).sum()
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    distance = between + traces - 2 * np.sqrt(product.clip(min=0)).sum()
    return float(max(distance, 0.0))  # Rounding leaves less than 0 of equal ones.
