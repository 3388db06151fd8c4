"""Features of many videos, written as they come and resumable at any time."""

import contextlib
import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from absl import logging

from ..arguments import suggest_arguments
from ..checkpoints.pretrained import open_weights
from ..data import clip_streams, frame_reader, sources
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..data.sources import Input
from ..inference.windows import Windows
from ..utils import files as storage
from ..utils import run_dir
from ..utils.cores import num_cores
from ..utils.progress import Bar
from ..video.flow_engines import choose_engine
from .feature_index import FeatureIndex
from .files import FeatureFiles
from .options import FeatureOptions


@suggest_arguments
def write_features(
    inputs: Sequence[str | os.PathLike | Clip | Record | Input],
    checkpoints: Mapping[str, str | os.PathLike],
    out: str | os.PathLike,
    *,
    windows: Windows,
    options: FeatureOptions = FeatureOptions(),  # noqa: B008
    beam_options=None,
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
        beam_options: Apache Beam's `PipelineOptions`; the videos are read on the
            workers of its runner, which write to `out`. By default on this machine.

    Returns:
        Reasons of the videos that could not be read, by name.

    Raises:
        OSError: a checkpoint is missing, or a file cannot be written.
        ValueError: a checkpoint does not fit, the folder was begun with other settings,
            or flow is needed and no record has it.

    Examples:
        >>> write_features(["videos"], {"rgb": "checkpoints/rgb_imagenet"}, "out",
        ...                windows=Windows(16))
    """
    inputs = sources.resolve(inputs)
    if beam_options is not None:
        sources.check_for_workers(each.source for each in inputs)
        if options.format == "h5":
            raise ValueError("with a runner, format is npz or npy. Received: 'h5'")
    if "flow" in checkpoints:
        clip_streams.check_flow([each.source for each in inputs])
    opened = {s: open_weights(path).require(s) for s, path in checkpoints.items()}
    for checkpoint in opened.values():
        checkpoint.require_data()
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
                left = _left(inputs, index)
                job = _Job(checkpoints, windows, recipe, options, settings)
                if not left:
                    results = ()
                elif beam_options is not None:
                    results = _run_beam(left, out, job, beam_options)
                else:
                    results = _run_here(left, len(inputs), files, opened, job)
                for each, error, damage in results:
                    if error:
                        path = storage.redact(each.source.path)
                        logging.warning("%s: %s", path, error)
                        errors[each.name] = error
                    index.add(each, error, damage=damage)
                files.close()
            finally:
                index.finish(inputs, errors)
    return errors


class _Job(NamedTuple):
    """What is done with each video."""

    checkpoints: Mapping[str, str | os.PathLike]
    windows: Windows
    recipe: ClipRecipe
    options: FeatureOptions
    settings: dict

    @property
    def model(self) -> dict[str, str]:
        """What `make_extractor` is told."""
        return {n: getattr(self.options, n) for n in ("endpoint", "pool", "dtype")}

    @property
    def reader(self) -> frame_reader.FrameReader:
        """How videos are read."""
        return frame_reader.FrameReader(self.recipe, self.options.fps)


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


def _left(inputs, index):
    """The inputs that are not done yet, or that have changed since."""
    left = [each for each in inputs if not index.is_done(each)]
    if len(left) < len(inputs):
        done = len(inputs) - len(left)
        logging.info("%d of %d videos were done before", done, len(inputs))
    if changed := [each.source.path for each in left if index.is_changed(each)]:
        logging.info(
            "%d videos have changed since and are done again: %s",
            len(changed), ", ".join(changed[:3]) + ", ..." * (len(changed) > 3),
        )  # fmt: skip
    index.begin(left)
    return left


def _run_here(left, total, files, opened, job):
    """Writes features, with a progress bar; yields each input, its error and damage."""
    from . import extractor, window_features  # TensorFlow, for what is left only.

    models = {
        s: checkpoint.build_model(dtype="float32") for s, checkpoint in opened.items()
    }
    bar = _bar(left, total, job.windows, job.reader)
    results = window_features.extract_all(
        [each.source for each in left],
        extractor.make_extractor(models, **job.model),
        job.windows,
        job.reader,
        batch_size=job.options.batch_size,
        threads=job.options.num_readers or num_cores(),
        on_window=lambda: bar.update(bar.unit == "window"),
    )
    with bar, contextlib.closing(results):
        for each, result in zip(left, results, strict=True):
            if isinstance(result, str):
                files.remove(each.name)  # Of an earlier video.
                yield each, result, ""
            else:
                files.write(each.name, result.values, result.times)
                yield each, "", str(result.damage or "")
            bar.update(bar.unit == "video")


def _run_beam(left, out, job, beam_options):
    """As `_run_here`, on the workers of a cluster."""
    from . import feature_beam

    outcomes = feature_beam.extract_with_beam(
        left,
        feature_beam.Job(
            job.checkpoints,
            job.model,
            job.windows,
            job.reader,
            job.options.batch_size,
            os.fspath(out),
            job.options.format,
            job.settings,
        ),
        beam_options,
    )
    for each in left:
        if each.name in outcomes:
            yield each, *outcomes[each.name]


def _bar(left, total, windows, reader):
    """Counts the windows of a single long video, else videos."""
    if len(left) == 1 and isinstance(left[0].source, Clip):
        with contextlib.suppress(ValueError, OSError):  # Reading it gives the reason.
            total = windows.count(reader.count(left[0].source))
            return Bar(desc="Extracting", total=total, unit="window")
    done = total - len(left)
    return Bar(desc="Extracting", total=total, initial=done, unit="video", smoothing=0)
