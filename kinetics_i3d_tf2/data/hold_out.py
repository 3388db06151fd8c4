"""A validation split out of a dataset that has none."""

import collections
import math
from collections.abc import Sequence

import numpy as np

from .clips import Clip
from .records.tfrecord import Record


def hold_out(
    sources: Sequence[Clip | Record], share: float, *, seed: int = 0
) -> tuple[list[Clip | Record], list[Clip | Record]]:
    """Divides clips into those to train on and those to validate on.

    Clips of one video stay together. Of each class about the same share is held out;
    clips with several labels, and records, whose labels are inside, are drawn from all.

    Args:
        sources: the clips or records.
        share: share to hold out, above 0 and below 1.
        seed: determines the choice, which depends on nothing else for the same sources.

    Returns:
        The clips to train on and the clips to validate on, each in the given order.

    Raises:
        ValueError: the share is out of range, or too few clips are left on one side.

    Examples:
        >>> train, val = hold_out(i3d.read_folder("videos").clips, 0.2)
    """
    if not 0 < share < 1:
        raise ValueError(
            f"the share to hold out must be above 0 and below 1. Received: {share}"
        )
    sources = list(sources)
    videos = collections.defaultdict(lambda: collections.defaultdict(list))
    for number, source in enumerate(sources):
        if isinstance(source, Clip):
            videos[source.index][source.path].append(number)
        else:
            videos[None][number].append(number)
    rng = np.random.default_rng(seed)
    held, whole = set(), 0.0
    for label in sorted(videos, key=lambda label: -1 if label is None else label):
        groups = list(videos[label].values())
        # What rounding leaves of one class is made up for in the next.
        before, whole = math.floor(whole + 0.5), whole + share * len(groups)
        count = min(math.floor(whole + 0.5) - before, len(groups) - (len(groups) > 1))
        for place in rng.permutation(len(groups))[:count]:
            held.update(groups[place])
    sides = ([], [])
    for number, source in enumerate(sources):
        sides[number in held].append(source)
    if not all(sides):
        raise ValueError(
            f"holding out {share:g} of {len(sources)} clips leaves "
            f"{len(sides[0])} to train on and {len(sides[1])} to validate on; use "
            "another share, or more clips"
        )
    return sides
