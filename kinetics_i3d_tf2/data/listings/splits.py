"""Names of splits: training, validation and test, as datasets spell them."""

from collections.abc import Iterable

# Usual names of splits, by meaning.
SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validate", "validation", "dev"),
    "test": ("test", "testing", "eval"),
}


def find_split(name: str, names: Iterable[str]) -> str | None:
    """The split that a name stands for: case and the usual synonyms do not matter.

    Args:
        name: such as "train", "val" or "test".
        names: the splits of a dataset.

    Returns:
        That of the same name; else the first of the same meaning, as "Training" for
        "train"; None if there is none.
    """
    names = list(names)
    if name in names:
        return name
    # Names of record files have no underscores.
    same = [n for n in names if _letters(n) == _letters(name)]
    meaning = split_meaning(name)
    if meaning:
        same += [n for n in names if split_meaning(n) == meaning]
    return same[0] if same else None


def split_meaning(name: str) -> str | None:
    """What a split is for: "train", "val" or "test"; None for other names."""
    return next((m for m, names in SPLITS.items() if name.casefold() in names), None)


def _letters(name):
    return name.casefold().replace("_", "-")
