"""Features of many videos, written as they come and resumable at any time."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from absl import logging
from tqdm import tqdm

from ..arguments import suggest_arguments
from ..checkpoints.pretrained import open_weights
from ..data import frame_reader, sources
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.read_options import ReadOptions
from ..data.records.tfrecord import Record
from ..data.sources import Input
from ..inference.windows import Windows
from ..utils import files as storage
from ..utils import run_dir
from ..utils.cores import num_cores
from ..video.flow_engines import choose_engine
from ..video.reader import FRAME_RATE
from ..video.tvl1_parameters import EPSILON
from . import extractor, window_features
from .feature_index import FeatureIndex
from .files import FeatureFiles


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class FeatureOptions:
    """What is extracted, and how.

    Attributes:
        endpoint: name of an endpoint of `InceptionI3d`.
        pool: "both", "space", "time" or "none": what it is averaged over.
        fps: frames per second that are taken.
        dtype: "float32" or "bfloat16".
        format: "npz", "npy" or "hdf5".
        batch_size: windows that go through the model at once.
        num_readers: videos that are read at once; by default one for each processor.
        flow_engine: engine of optical flow.
        flow_epsilon: TV-L1 stops when an iteration changes the flow by less, in pixels.
        reading: limits on single videos; images of folders are `fps` a second.
    """

    endpoint: str = "Mixed_5c"
    pool: str = "both"
    fps: float = FRAME_RATE
    dtype: str = "float32"
    format: str = "npz"
    batch_size: int = 4
    num_readers: int | None = None
    flow_engine: str = "auto"
    flow_epsilon: float = EPSILON
    reading: ReadOptions = ReadOptions()


@suggest_arguments
def write_features(
    inputs: Sequence[str | os.PathLike | Clip | Record | Input],
    checkpoints: Mapping[str, str | os.PathLike],
    out: str | os.PathLike,
    *,
    windows: Windows,
    options: FeatureOptions = FeatureOptions(),  # noqa: B008
) -> dict[str, str]:
    """Writes features of windows of videos.

    Args:
        inputs: paths of videos, folders, patterns, CSVs or records, as of
            `data.sources.find`; a `Table`, or its clips; or what `data.sources` gives.
        checkpoints: by stream: "rgb", "flow" or both.
        out: folder of the features and index.csv, which says which video is in which
            file. Called again, it goes on with the videos that are not done, or that
            have changed since (size or time of change).
        windows: how videos are cut.
        options: what is extracted, and how.

    Returns:
        Reasons of the videos that could not be read, by name.

    Raises:
        OSError: a checkpoint is missing, or a file cannot be written.
        ValueError: a checkpoint does not fit, or the folder was begun with other
            settings.

    Examples:
        >>> write_features(["videos"], {"rgb": "checkpoints/rgb_imagenet"}, "out",
        ...                windows=Windows(16))
    """
    inputs = sources.resolve(inputs)
    opened = {s: open_weights(path).require(s) for s, path in checkpoints.items()}
    extract = extractor.make_extractor(
        {s: checkpoint.build_model() for s, checkpoint in opened.items()},
        endpoint=options.endpoint,
        pool=options.pool,
        dtype=options.dtype,
    )
    stream = "joint" if len(opened) > 1 else next(iter(opened))
    recipe = ClipRecipe(
        stream,
        flow_engine=options.flow_engine,
        flow_epsilon=options.flow_epsilon,
        reading=dataclasses.replace(options.reading, image_fps=options.fps),
    )
    settings = _settings(opened, windows, options, recipe)
    storage.make_dirs(out)
    with run_dir.only_run(out):
        notes = {f"{s}_checkpoint": str(path) for s, path in checkpoints.items()}
        path = storage.join(out, "settings.json")
        run_dir.keep_settings(path, settings, notes=notes)
        run_dir.clear_unfinished(out)
        files = FeatureFiles(out, options.format, settings)
        index = FeatureIndex(out, files)
        inputs, errors = index.name(inputs), {}
        with contextlib.closing(index):
            try:
                work = _Work(extract, windows, recipe, options)
                _run(inputs, files, index, work, errors)
                files.close()
            finally:
                index.finish(inputs, errors)
    return errors


class _Work(NamedTuple):
    """What is done with each video."""

    extract: Callable
    windows: Windows
    recipe: ClipRecipe
    options: FeatureOptions


def _settings(opened, windows, options, recipe):
    """What the features depend on, as JSON's types."""
    return {
        **{f"{s}_checkpoint": opened[s].fingerprint for s in opened},
        "eval_type": recipe.stream,
        "endpoint": options.endpoint,
        "pool": options.pool,
        "window": windows.length,
        "stride": windows.step,
        "tail": windows.tail,
        "fps": options.fps,
        "dtype": options.dtype,
        **_flow_settings(recipe),
        "format": options.format,
    }


def _flow_settings(recipe):
    if "flow" not in recipe.streams:
        return {}
    return {
        "flow_epsilon": recipe.flow_epsilon,
        "flow_engine": choose_engine(recipe.flow_engine),
    }


def _run(inputs, files, index, work, errors):
    """Writes the features that are not there yet, with a progress bar."""
    _, windows, recipe, options = work
    left = [each for each in inputs if not index.is_done(each)]
    if len(left) < len(inputs):
        done = len(inputs) - len(left)
        logging.info("%d of %d videos were done before", done, len(inputs))
    reader = frame_reader.FrameReader(recipe, options.fps)
    if changed := [each.source.path for each in left if index.is_changed(each)]:
        logging.info(
            "%d videos have changed since and are done again: %s",
            len(changed), ", ".join(changed[:3]) + ", ..." * (len(changed) > 3),
        )  # fmt: skip
    bar = _bar(left, len(inputs), windows, reader)
    results = window_features.extract_all(
        [each.source for each in left],
        work.extract,
        windows,
        reader,
        batch_size=options.batch_size,
        threads=options.num_readers or num_cores(),
        on_window=lambda: bar.update(bar.unit == "window"),
    )
    with bar, contextlib.closing(results):
        for each, result in zip(left, results, strict=True):
            if isinstance(result, str):
                errors[each.name] = result
                logging.warning("%s: %s", storage.redact(each.source.path), result)
                files.remove(each.name)  # Of an earlier video.
                index.add(each, result)
            else:
                damage = str(result.damage or "")
                files.write(each.name, result.values, result.times)
                index.add(each, damage=damage)
            bar.update(bar.unit == "video")


def _bar(left, total, windows, reader):
    """Counts the windows of a single long video, else videos."""
    if len(left) == 1 and isinstance(left[0].source, Clip):
        with contextlib.suppress(ValueError, OSError):  # Reading it gives the reason.
            total = windows.count(reader.count(left[0].source))
            return tqdm(desc="Extracting", total=total, unit="window")
    done = total - len(left)
    return tqdm(desc="Extracting", total=total, initial=done, unit="video", smoothing=0)
