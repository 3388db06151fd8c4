"""How many inputs of a dataset may be unreadable."""

import threading
from collections.abc import Hashable, Mapping

from absl import logging

from ..utils.files import redact


class DamageLimit:
    """Counts the inputs that cannot be read, and raises when there are too many.

    Threads may share one.

    Args:
        total: inputs of the dataset.
        max_damaged: largest share of them, 0 to 1, that may be unreadable.
        noun: what an input is, for messages.
        known: problems of an earlier run, by key; they count and are not logged.
        advice: a sentence at the end of the error.

    Raises:
        ValueError: too many problems are known already.

    Attributes:
        problems: text by key, in the order in which they were found.
    """

    def __init__(
        self,
        total: int,
        max_damaged: float,
        *,
        noun: str = "clip",
        known: Mapping[Hashable, str] | None = None,
        advice: str = "",
    ):
        self._total = total
        self._max_damaged = max_damaged
        self._noun = noun
        self._advice = advice
        self._lock = threading.Lock()
        self.problems: dict[Hashable, str] = dict(known or {})
        self._check(len(self.problems), *list(self.problems.values())[-1:])

    def add(self, key: Hashable, problem: str) -> None:
        """Counts an input, once, and logs a warning the first time.

        Args:
            key: identifies the input.
            problem: "PATH: REASON".

        Raises:
            ValueError: more than `max_damaged` cannot be read.
        """
        problem = redact(problem)
        with self._lock:
            is_new = key not in self.problems
            self.problems[key] = problem
            count = len(self.problems)
        if is_new:
            logging.warning(
                "Skipping a %s (%d of %d so far): %s",
                self._noun, count, self._total, problem,
            )  # fmt: skip
        self._check(count, problem)

    def _check(self, count, last=""):
        if count > self._max_damaged * self._total:
            raise ValueError(
                f"{count} of {self._total} {self._noun}s cannot be read, more than "
                f"max_damaged={self._max_damaged:g}; the last: {last}"
                + (f". {self._advice}" if self._advice else "")
            )
