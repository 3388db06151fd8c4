"""The flags by which programs are told their dataset, and what they stand for."""

import re
from collections.abc import Sequence

from absl import flags

from ..data import clips, datasets, labels
from ..data.records import tfrecord
from ..utils import files

DATASET = flags.DEFINE_enum("dataset", None, datasets.KINDS, "What the dataset is.")
VIDEOS = flags.DEFINE_string(
    "videos", None, "Folder of the videos, searched in depth; a csv does without."
)
ANNOTATIONS = flags.DEFINE_list(
    "annotations",
    None,
    "The lists of clips: a CSV (Kinetics; or path,label[,start,end][,split]), several "
    "with commas between them, or the folder of UCF101's or HMDB51's lists.",
)
SPLIT_NUMBER = flags.DEFINE_integer("split_number", 1, "Of UCF101 and HMDB51.", 1, 3)
REQUIRE_ALL = flags.DEFINE_boolean(
    "require_all", False, "End at once when videos that the lists name are missing."
)
RECORDS = flags.DEFINE_string(
    "records",
    None,
    "Folder of prepared records, in the place of --dataset, --videos, --annotations.",
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

# Names of the splits that are not trained on, as datasets have them.
VALIDATION = ("val", "valid", "validate", "validation")
TEST = ("test", "testing")

_OF_VIDEOS = (DATASET, VIDEOS, ANNOTATIONS, SPLIT_NUMBER, REQUIRE_ALL)


def declare_for_help(*, records: bool = False) -> None:
    """Shows these flags in the `--help` of the program that calls this.

    Args:
        records: whether it takes `--records`.
    """
    for flag in (*_OF_VIDEOS, *[RECORDS] * records):
        flags.declare_key_flag(flag.name)


def source() -> str:
    """What the user named: the lists, the videos or the records."""
    return RECORDS.value or ",".join(ANNOTATIONS.value or ()) or VIDEOS.value


def read_table() -> clips.Table:
    """The clips of all lists.

    Raises:
        OSError, ValueError: as the reader of that kind of dataset.
    """
    return clips.join(
        [
            datasets.read(
                DATASET.value,
                VIDEOS.value,
                annotations,
                split_number=SPLIT_NUMBER.value,
                require_all=REQUIRE_ALL.value,
            )
            for annotations in ANNOTATIONS.value or [None]
        ]
    )


class Dataset:
    """What the flags name: a table of videos, or prepared records.

    Raises:
        OSError: a file is not there.
        ValueError: flags are missing or do not go together, or a list is malformed.

    Attributes:
        class_names: names by label index.
    """

    class_names: tuple[str, ...]

    def __init__(self):
        if (DATASET.value is None) == (RECORDS.value is None):
            raise ValueError(
                "name either --records=FOLDER or --dataset="
                f"{'|'.join(datasets.KINDS)} with --videos=FOLDER"
            )
        self._table = None
        if DATASET.value is not None:
            self._table = read_table()
            self.class_names = self._table.class_names
            return
        stray = [flag.name for flag in _OF_VIDEOS if flag.present]
        if stray:
            raise ValueError(f"--{stray[0]} does not go with --records")
        label_map = files.join(RECORDS.value, labels.LABEL_MAP)
        self.class_names = labels.read_label_map(label_map)
        self._records: dict[str, list[str]] = {}
        for path in files.matching(files.join(RECORDS.value, "*")):
            # As `prepare` and MediaPipe name them.
            found = re.search(r"_([^_/]+)_25fps_[^/]*-of-\d+$", path)
            if found:
                self._records.setdefault(found[1], []).append(path)
        if not self._records:
            raise FileNotFoundError(
                f"{RECORDS.value}: holds no record files named as prepare names them, "
                "NAME_SPLIT_25fps_...-00000-of-00001"
            )

    def splits(self) -> tuple[str, ...]:
        """Names of its splits."""
        return tuple(self._records) if self._table is None else self._table.splits()

    def first_of(self, names: Sequence[str]) -> str | None:
        """The first of some splits that there is, if any."""
        return next((name for name in names if name in self.splits()), None)

    def split(self, name: str) -> Sequence[clips.Clip | tfrecord.Record]:
        """The clips or records of a split, for the pipelines.

        Raises:
            OSError: a record file cannot be read.
            ValueError: there is no such split.
        """
        if self._table is not None:
            return self._table.split(name)
        if name not in self._records:
            raise ValueError(
                f"There is no split '{name}' in {RECORDS.value}, only: "
                f"{', '.join(self._records)}"
            )
        return tfrecord.find_records(self._records[name])
