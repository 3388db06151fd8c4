"""The Frechet distance against closed forms, and moments of points as they come."""

import numpy as np
import pytest

from kinetics_i3d_tf2.features.frechet import Gaussian, Moments, frechet_distance

RNG = np.random.default_rng(0)


def covariance(dimensions, rank=None):
    root = RNG.standard_normal((dimensions, rank or dimensions))
    return root @ root.T


def gaussian(mean, cov):
    return Gaussian(100, np.asarray(mean, float), np.asarray(cov, float))


def of(points, sizes=None):
    moments = Moments()
    for part in np.split(points, np.cumsum(sizes) if sizes else []):
        moments.add(part)
    return moments.gaussian()


def test_one_dimension():
    first, second = gaussian([1.0], [[4.0]]), gaussian([3.5], [[0.25]])
    assert frechet_distance(first, second) == pytest.approx(2.5**2 + (2 - 0.5) ** 2)


def test_covariances_that_commute():
    basis, _ = np.linalg.qr(RNG.standard_normal((6, 6)))
    a, b = RNG.uniform(0, 3, (2, 6))
    means = RNG.standard_normal((2, 6))
    first = gaussian(means[0], basis @ np.diag(a) @ basis.T)
    second = gaussian(means[1], basis @ np.diag(b) @ basis.T)
    expected = ((means[0] - means[1]) ** 2).sum() + ((a**0.5 - b**0.5) ** 2).sum()
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-10)


def test_two_dimensions_that_do_not_commute():
    # tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)) for 2x2.
    a, b = covariance(2), covariance(2)
    product = a @ b
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(a) + np.trace(b) - 2 * root
    assert frechet_distance(gaussian([0, 0], a), gaussian([0, 0], b)) == pytest.approx(
        expected, rel=1e-10
    )


@pytest.mark.parametrize("rank", [50, 5])
def test_equal_gaussians_are_0_apart_singular_ones_too(rank):
    one = gaussian(RNG.standard_normal(50), covariance(50, rank))
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-4 * rank)


def test_it_is_symmetric_and_grows_with_the_square_of_the_scale():
    a, b = (gaussian(RNG.standard_normal(8), covariance(8)) for _ in "ab")
    distance = frechet_distance(a, b)
    assert frechet_distance(b, a) == pytest.approx(distance, rel=1e-10)
    larger = [gaussian(3 * g.mean, 9 * g.covariance) for g in (a, b)]
    assert frechet_distance(*larger) == pytest.approx(9 * distance, rel=1e-10)


def test_other_dimensions_are_refused():
    one, other = gaussian([0.0], [[1.0]]), gaussian([0.0, 0.0], np.eye(2))
    with pytest.raises(ValueError, match=r"as many dimensions. Received: \(1,\) and"):
        frechet_distance(one, other)


@pytest.mark.parametrize("sizes", [None, [1, 1, 5], [100, 0, 3], [199]], ids=str)
def test_moments_are_numpy_s(sizes):
    points = RNG.standard_normal((200, 7)) * 3 + 1e4  # Sums of squares would cancel.
    found = of(points, sizes)
    assert found.count == 200
    np.testing.assert_allclose(found.mean, points.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(points.T), rtol=1e-9, atol=1e-9)


def test_the_distance_of_many_samples_nears_that_of_their_gaussians():
    means, covs = RNG.standard_normal((2, 4)), [covariance(4), covariance(4)]
    exact = frechet_distance(
        *(gaussian(m, c) for m, c in zip(means, covs, strict=True))
    )
    drawn = [
        of(RNG.multivariate_normal(m, c, 40_000))
        for m, c in zip(means, covs, strict=True)
    ]
    assert frechet_distance(*drawn) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((1, 3)), "at least two points. Received: 1"),
        (np.full((3, 3), np.nan), "finite"),
        (np.zeros(3), r"shape \(3,\)"),
    ],
    ids=["one", "nan", "vector"],
)
def test_points_that_give_no_gaussian(points, message):
    with pytest.raises(ValueError, match=message):
        of(points)
