"""Iterators in threads, models in full batches."""

import itertools
import threading
import time

import numpy as np
import pytest

from kinetics_i3d_tf2.data import prefetch


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_iterators_are_chained_in_order(threads):
    makers = [lambda n=n: iter(range(10 * n, 10 * n + n)) for n in range(6)]
    expected = [x for maker in makers for x in maker()]
    assert list(prefetch.in_threads(makers, threads=threads, ahead=2)) == expected


def test_they_run_side_by_side():
    both = threading.Barrier(2, timeout=10)

    def maker():
        both.wait()  # Passes when two are there.
        yield 1

    assert list(prefetch.in_threads([maker, maker], threads=2)) == [1, 1]


def test_an_error_is_raised_in_its_place():
    def broken():
        yield 2
        raise ValueError("in the middle")

    items = prefetch.in_threads(
        [lambda: iter([1]), broken, lambda: iter([3])], threads=3
    )
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="in the middle"):
        next(items)


def test_threads_are_not_far_ahead_and_end_with_their_user():
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield number

    before = threading.active_count()
    items = prefetch.in_threads([endless], ahead=3)
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    items.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert len(taken) <= 10


def test_batches_are_full_whatever_the_clips_belong_to():
    sizes = []

    def double(batch):
        sizes.append(len(batch["rgb"]))
        return 2 * batch["rgb"]

    items = [
        *((f"a{n}", {"rgb": np.full(3, n)}) for n in range(3)),
        ("end of a", None),
        *((f"b{n}", {"rgb": np.full(3, 10 + n)}) for n in range(2)),
        ("end of b", None),
        ("c0", {"rgb": np.full(4, 20)}),  # Of another shape.
        ("end of c", None),
    ]
    found = list(prefetch.in_batches(double, items, 4))
    assert [key for key, _ in found] == [key for key, _ in items]
    assert sizes == [4, 1, 1]
    for (_, clip), (_, output) in zip(items, found, strict=True):
        if clip is None:
            assert output is None
        else:
            np.testing.assert_array_equal(output, 2 * clip["rgb"])


def test_what_needs_no_batch_does_not_wait():
    taken = []

    def items():
        for number in range(3):
            taken.append(number)
            yield number, None

    assert next(prefetch.in_batches(None, items(), 4)) == (0, None)
    assert taken == [0]
