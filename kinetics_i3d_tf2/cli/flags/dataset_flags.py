"""Dataset flags, and the dataset that they specify."""

from collections.abc import Sequence

from absl import flags

from ...data import clips, datasets
from ...data.clips import Table
from ...data.listings import splits
from ...data.records.folder import RecordFolder

DATASET = flags.DEFINE_enum("dataset", None, datasets.KINDS, "Kind of the dataset.")
VIDEOS = flags.DEFINE_string(
    "videos",
    None,
    "Folder of the videos, searched recursively; optional for csv and intervals.",
)
ANNOTATIONS = flags.DEFINE_list(
    "annotations",
    None,
    "The lists of clips: a CSV (Kinetics; Charades; or path,label[,start,end][,split], "
    "a row for each clip of csv, or for each label of a video of intervals), several "
    "separated by commas, or the folder of UCF101's or HMDB51's lists.",
)
SPLIT_NUMBER = flags.DEFINE_integer(
    "split_number", 1, "Split of UCF101 or HMDB51.", 1, 3
)
REQUIRE_ALL = flags.DEFINE_boolean(
    "require_all", False, "Fail if a video of the lists is missing."
)
RECORDS = flags.DEFINE_string(
    "records",
    None,
    "Folder of prepared records, instead of --dataset, --videos and --annotations.",
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

_OF_VIDEOS = (DATASET, VIDEOS, ANNOTATIONS, SPLIT_NUMBER, REQUIRE_ALL)


def declare_for_help(*, records: bool = False) -> None:
    """Shows these flags in the `--help` of the program that calls this.

    Args:
        records: whether it takes `--records`.
    """
    shown = [*_OF_VIDEOS, RECORDS] if records else _OF_VIDEOS
    for flag in shown:
        flags.declare_key_flag(flag.name)


def source() -> str:
    """The lists, the videos or the records that the flags specify."""
    return RECORDS.value or ",".join(ANNOTATIONS.value or ()) or VIDEOS.value


def read_table() -> Table:
    """Reads the dataset that `--dataset` and `--annotations` specify, as one table.

    Raises:
        OSError: a file or folder is missing.
        ValueError: flags are missing, or a list is malformed.
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


def read_dataset() -> Table | RecordFolder:
    """Reads the dataset that the flags specify: videos, or prepared records.

    Raises:
        OSError: a file is missing.
        ValueError: flags are missing or contradict each other, or a list is malformed.
    """
    if (DATASET.value is None) == (RECORDS.value is None):
        raise ValueError(
            "specify either --records=FOLDER or --dataset="
            f"{'|'.join(datasets.KINDS)} with --videos=FOLDER"
        )
    if DATASET.value is not None:
        return read_table()
    stray = [flag.name for flag in _OF_VIDEOS if flag.present]
    if stray:
        raise ValueError(f"--{stray[0]} does not go with --records")
    return RecordFolder(RECORDS.value)


def first_split(dataset: Table | RecordFolder, names: Sequence[str]) -> str | None:
    """The first of some splits that a dataset has; None if it has none of them.

    Args:
        dataset: the dataset.
        names: as of `splits.find_split`, such as "val".
    """
    found = (splits.find_split(name, dataset.splits()) for name in names)
    return next((name for name in found if name is not None), None)
