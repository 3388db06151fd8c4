r"""Extracts features of videos: what I3D computes of windows of their frames.

RGB features of 16 frames each, 1024 wide, a .npz file for each video of a folder:
  i3d features VIDEOS --eval_type=rgb --out=FEATURES

RGB and flow, 2048 wide, of windows of 64 frames, a new one every 8 frames, as .npy:
  i3d features VIDEOS --window=64 --stride=8 --format=npy \
    --out=FEATURES

One vector a video, of all its frames at once:
  i3d features VIDEOS --window=0 --out=FEATURES

VIDEOS are any number of video files, folders of images (one folder a clip), folders of
those (searched in depth), patterns ('clips/*.mp4'), CSVs with a column path (and start,
end in seconds), records of i3d prepare, and - for standard input. --dataset names one
as the other programs do.

FEATURES holds NAME.npz for each video, with the arrays `features` (windows, width),
`times` (windows, 2) in seconds, and `settings`, which is JSON; and index.csv, a row for
each video, with the reason where it could not be read. Stopped or killed, the same
command goes on with the videos that are not done; those that have changed since are
done again.
"""

from absl import flags, logging

from ..data import sources
from ..features import files as feature_files
from ..inference import windows
from ..models.architecture import ENDPOINTS, MIN_FRAMES
from ..utils import files as storage
from . import program
from .flags import (
    chosen_checkpoints,
    clip_flags,
    dataset_flags,
    flow_flags,
    model_flags,
    reading_flags,
    runner_flags,
)

dataset_flags.declare_for_help(records=True)
model_flags.declare_for_help(top=False)
flow_flags.declare_for_help()
reading_flags.declare_for_help()
runner_flags.declare_for_help()
_INPUTS = flags.DEFINE_list(
    "inputs", [], "The same as VIDEOS, with commas between them."
)
_SPLIT = flags.DEFINE_string(
    "split", None, "Split of --dataset or --records; by default all of them."
)
_ENDPOINT = flags.DEFINE_enum(
    "endpoint", "Mixed_5c", ENDPOINTS, "What is computed: the name of a layer."
)
_POOL = flags.DEFINE_enum(
    "pool",
    "both",
    ["both", "space", "time", "none"],
    "Over what it is averaged. Logits and Predictions are of each place in time with "
    "space or none, and of the whole window with time or both.",
)
_WINDOW = flags.DEFINE_integer(
    "window", 16, "Frames that are seen together; 0 is the whole video.", 0
)
_STRIDE = flags.DEFINE_integer(
    "stride", None, "Frames from one window to the next; by default --window.", 1
)
_TAIL = flags.DEFINE_enum(
    "tail",
    "loop",
    windows.TAILS,
    "What becomes of frames at the end that fill no window: looped from their first "
    "until they do, padded with their last, or dropped.",
)
_FORMAT = flags.DEFINE_enum(
    "format",
    "npz",
    feature_files.FORMATS,
    "Files: .npz or .npy for each video, or one HDF5, features.h5.",
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 4, "Windows that go through the model at once.", 1
)
_NUM_READERS = flags.DEFINE_integer(
    "num_readers", None, "Videos that are read at once; by default one a core.", 1
)
_OUT = flags.DEFINE_string("out", None, "Folder of the results.", required=True)


def main(argv):
    """Extracts what the flags ask for."""
    cut = _check_flags()
    named = _find_inputs(argv[1:])
    checkpoints = chosen_checkpoints.find_checkpoints().paths
    with program.quiet_tensorflow():
        from ..features import write
    options = write.FeatureOptions(
        endpoint=_ENDPOINT.value,
        pool=_POOL.value,
        fps=reading_flags.FPS.value,
        dtype=model_flags.dtype(),
        format=_FORMAT.value,
        batch_size=_BATCH_SIZE.value,
        num_readers=_NUM_READERS.value,
        flow_engine=flow_flags.FLOW_ENGINE.value,
        flow_epsilon=flow_flags.FLOW_EPSILON.value,
        reading=reading_flags.options(),
    )
    try:
        errors = write.write_features(
            named,
            checkpoints,
            _OUT.value,
            windows=cut,
            options=options,
            beam_options=runner_flags.beam_options(),
        )
    except KeyboardInterrupt:
        logging.info("Stopped; the same command resumes after the videos that are done")
        # A thread that computes flow would be waited for.
        program.exit_at_once(130)
    _report(named, errors)


def _check_flags():
    """The windows that the flags ask for."""
    model_flags.check()
    flow_flags.check()
    if clip_flags.MODEL.value != "i3d":
        raise ValueError("--model: features are of i3d")
    if not _OUT.value:
        raise ValueError("--out is empty; name a folder")
    storage.check_writable(_OUT.value)
    if storage.is_address(_OUT.value) and _FORMAT.value == "h5":
        raise ValueError(
            f"--out={_OUT.value}: an HDF5 file cannot be extended there; use "
            "--format=npz, or a folder on this machine"
        )
    is_head = _ENDPOINT.value in ENDPOINTS[-2:]
    if is_head and 0 < _WINDOW.value < MIN_FRAMES:
        raise ValueError(
            f"--window={_WINDOW.value}: {_ENDPOINT.value} takes at least {MIN_FRAMES} "
            "frames"
        )
    if _STRIDE.value is not None and _WINDOW.value == 0:
        raise ValueError("--stride is for windows; --window=0 is the whole video")
    if "flow" not in model_flags.streams():
        for flag in (flow_flags.FLOW_EPSILON, flow_flags.FLOW_ENGINE):
            if flag.present:
                raise ValueError(f"--{flag.name} is for optical flow")
    return windows.Windows(
        _WINDOW.value,
        _STRIDE.value,
        _TAIL.value,
        least=MIN_FRAMES if is_head else 1,
    )


def _find_inputs(positional):
    names = [*positional, *_INPUTS.value]
    is_dataset = dataset_flags.DATASET.present or dataset_flags.RECORDS.present
    if bool(names) == is_dataset:
        raise ValueError(
            "name the videos: files, folders, patterns, CSVs or records; or a --dataset"
            if not names
            else "name videos or a --dataset, not both"
        )
    if _SPLIT.present and not is_dataset:
        raise ValueError("--split is for --dataset and --records")
    if not is_dataset:
        found = sources.find(names)
    else:
        dataset = dataset_flags.read_dataset()
        splits = [_SPLIT.value] if _SPLIT.value else dataset.splits()
        found = sources.of_table([c for split in splits for c in dataset.split(split)])
    return found


def _report(named, errors):
    print(
        f"{len(named) - len(errors)} of {len(named)} videos are done; {len(errors)} "
        f"could not be read; see {storage.join(_OUT.value, 'index.csv')}"
    )
    if len(errors) == len(named):
        raise ValueError(
            f"no video could be read; the first: {next(iter(errors.values()))}"
        )
