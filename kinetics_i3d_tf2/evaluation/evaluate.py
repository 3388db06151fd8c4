"""Accuracy of checkpoints on a dataset, resumable after any interruption."""

import collections
import contextlib
import dataclasses
import os
from collections.abc import Mapping, Sequence

from absl import logging

from ..arguments import suggest_arguments
from ..data import clip_streams, prefetch
from ..data.clips import NO_LABEL, Clip
from ..data.records.tfrecord import Record
from ..data.sources import fingerprints
from ..inference.scores import activation_of
from ..utils import files, run_dir
from ..utils.damage_limit import DamageLimit
from ..utils.errors import problem_of
from ..utils.progress import Bar
from ..video.reader import FRAME_RATE
from ..video.tvl1_parameters import EPSILON
from ..visualization import plots
from . import predictions, protocols, results
from .scored_models import Model, match_classes, scored_names


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class EvaluationOptions:
    """How an evaluation runs; its figures do not depend on it, but for `dtype`.

    Attributes:
        dtype: "float32" or "bfloat16".
        max_damaged: share of clips that may be unreadable, 0 to 1.
        retry_failed: read clips again that could not be read in an earlier run.
        num_readers: clips that are read at once; by default one for each processor.
        settings: more that the results depend on, as JSON's types; a folder is resumed
            with the same only.
        notes: information for people, kept beside the settings.
    """

    dtype: str = "float32"
    max_damaged: float = 0.1
    retry_failed: bool = False
    num_readers: int | None = None
    settings: Mapping = dataclasses.field(default_factory=dict)
    notes: Mapping = dataclasses.field(default_factory=dict)


@suggest_arguments
def evaluate(
    checkpoints: Mapping[str, str | os.PathLike],
    sources: Sequence[Clip | Record],
    class_names: Sequence[str],
    out: str | os.PathLike,
    *,
    protocol: protocols.Protocol,
    architecture: str = "i3d",
    options: EvaluationOptions = EvaluationOptions(),  # noqa: B008
) -> results.Results:
    """Evaluates checkpoints on the clips of a dataset.

    Args:
        checkpoints: by stream: "rgb", "flow" or both, or "joint" for one model of both.
        sources: the clips, with labels.
        class_names: names of the dataset's classes, by label index.
        out: folder of the results: predictions.csv with a row for each clip,
            per_class.csv, confusion.csv, confusion.png and settings.json. Called again
            after an interruption, it resumes after the clips that are done; those that
            have changed since (size or time of change) are done again.
        protocol: how clips are scored.
        architecture: one of `models.registry.ARCHITECTURES`.
        options: how it runs.

    Returns:
        The figures.

    Raises:
        OSError: a file is missing, or cannot be read or written.
        ValueError: checkpoints or classes do not fit, the folder was begun with other
            settings, more clips than `max_damaged` cannot be read, or flow is needed
            and no record has it.

    Examples:
        >>> table = read_folder("videos")
        >>> evaluate({"rgb": "run/best"}, table.split("val"), table.class_names, "out",
        ...          protocol=Protocol(ClipRecipe()))
    """
    sources = list(sources)  # A `Table` has no indices.
    _warn_without_labels(sources)
    if "flow" in protocol.recipe.streams:
        clip_streams.check_flow(sources)
    models = {
        stream: Model(path, stream, kind=architecture, dtype=options.dtype)
        for stream, path in checkpoints.items()
    }
    classes = match_classes(models, class_names)
    activation_of(models)  # They must have the same.
    settings = _settings(sources, class_names, models, protocol, architecture, options)
    files.make_dirs(out)
    with run_dir.only_run(out):
        run_dir.clear_unfinished(out)
        notes = {f"{name}_checkpoint": str(p) for name, p in checkpoints.items()}
        path = files.join(out, "settings.json")
        run_dir.keep_settings(
            path,
            settings,
            notes={**options.notes, **notes},
            upgrade=lambda older: {"image_fps": FRAME_RATE, **older},
        )
        scored = scored_names(models)
        path = files.join(out, "predictions.csv")
        with predictions.Predictions(path, predictions.columns(scored)) as done:
            if options.retry_failed:
                done.drop_failed()
            if changed := done.drop_changed(sources):
                logging.info(
                    "%d clips have changed since and are done again: %s",
                    len(changed), ", ".join(changed[:3]) + ", ..." * (len(changed) > 3),
                )  # fmt: skip
            _run(sources, done, classes, protocol, models, options)
            done.sort()
        rows = list(done.rows.values())
        found = results.conclude(rows, scored, classes.names)
        if found.clips:
            _write(found, scored, classes.names, out)
    return found


def _warn_without_labels(sources):
    """Labels of records are read later."""
    if all(isinstance(each, Clip) and each.index == NO_LABEL for each in sources):
        logging.warning(
            "None of the %d clips has a label, so there will be no accuracy: an "
            "evaluation compares the answers of a model with the labels of a data set. "
            "To label videos: i3d classify VIDEOS --out=labels.csv",
            len(sources),
        )


def _settings(sources, class_names, models, protocol, architecture, options):
    """What the rows depend on, as JSON's types."""
    recipe, names = protocol.recipe, next(iter(models.values())).class_names
    return {
        "clips": len(sources),
        "dataset": run_dir.digest([sources])[:16],
        "classes": run_dir.digest_text([*names, *class_names])[:16],
        **{f"{name}_checkpoint": m.fingerprint for name, m in models.items()},
        "model": architecture,
        "dtype": options.dtype,
        "flip": protocol.flip,
        "short_side": recipe.short_side,
        "crop_size": recipe.crop_size,
        "num_frames": recipe.num_frames,
        "rgb_stride": recipe.rgb_stride,
        "image_fps": recipe.reading.image_fps,
        **_flow_settings(recipe),
        **options.settings,
    }


def _flow_settings(recipe):
    """The flow's epsilon where it is not the usual one, as in older runs."""
    if "flow" not in recipe.streams or recipe.flow_epsilon == EPSILON:
        return {}
    return {"flow_epsilon": recipe.flow_epsilon}


def _write(found, scored, class_names, out):
    results.write_per_class(found, files.join(out, "per_class.csv"))
    results.write_confusion(found, files.join(out, "confusion.csv"))
    title = f"{scored[-1]}: {found.figures[scored[-1]]['top_1']:.2%} top-1"
    picture = files.join(out, "confusion.png")
    plots.draw_confusion(found.confusion, class_names, title, picture)


def _run(sources, done, classes, protocol, models, options):
    """Adds the rows that are not there yet, with a progress bar."""
    left = [number for number in range(len(sources)) if number not in done.rows]
    # Before they are read, as they may be replaced meanwhile.
    of_left = dict(zip(left, fingerprints([sources[n] for n in left]), strict=True))
    if not left:
        logging.info("All %d clips were done before", len(sources))
        return
    for model in models.values():
        model.build()  # What is wrong with a checkpoint is no error of a clip.
    failed = {n: row for n, row in done.rows.items() if row["error"]}
    damage = DamageLimit(
        len(sources),
        options.max_damaged,
        known={n: f"{row['path']}: {row['error']}" for n, row in failed.items()},
        advice="Once that is fixed, --retry_failed tries again",
    )
    final = scored_names(models)[-1]
    seen = collections.Counter(row[f"{final}_rank"] for row in done.rows.values())
    bar = Bar(
        desc="Evaluating",
        total=len(sources),
        initial=len(sources) - len(left),
        unit="clip",
        smoothing=0,  # Clips come in bursts; their average predicts best.
    )
    clips = prefetch.read_in_order(
        sources,
        protocol.recipe,
        left,
        threads=options.num_readers,
        longest=protocol.longest if _takes_long_clips(models) else None,
    )
    with bar, contextlib.closing(clips):
        for clip in clips:
            row = predictions.describe(clip, classes.of_dataset)
            row["fingerprint"] = of_left[clip.number]
            if not row["error"]:
                try:
                    row |= _score(models, clip, protocol, classes.names, row["label"])
                except Exception as error:  # One bad clip must not stop the others.
                    row["error"] = problem_of(error, clip.source.path)
            done.append(row)
            if row["error"]:
                damage.add(clip.number, f"{row['path']}: {row['error']}")
            seen[row.get(f"{final}_rank", "")] += 1
            labelled = seen.total() - seen[""]
            if labelled:
                bar.set_postfix_str(f"top-1 {seen['1'] / labelled:.1%}", False)
            bar.update()


def _takes_long_clips(models):
    return all(model.kind == "i3d" for model in models.values())


def _score(models, clip, protocol, names, label):
    """What a row says of a clip's scores."""
    if clip.long:
        scores = protocols.score_long(models, clip, protocol)
    else:
        scores = protocols.score(models, clip.streams, protocol)
    return predictions.describe_scores(scores, names, label)
