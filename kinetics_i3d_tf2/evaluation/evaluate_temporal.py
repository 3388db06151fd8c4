"""Mean average precision of checkpoints on videos with several labels, resumable."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import logging

from ..arguments import suggest_arguments
from ..data import clip_streams
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.intervals import Interval
from ..data.records.tfrecord import Record
from ..data.sources import fingerprints
from ..inference.classifier import Classifier
from ..utils import files, run_dir
from ..utils.damage_limit import DamageLimit
from ..utils.errors import problem_of
from ..utils.progress import Bar
from ..visualization.precision_plot import draw_precision_recall
from . import localization, precision_results, temporal_protocol
from .evaluate import EvaluationOptions
from .precision_results import Judged, PrecisionResults
from .predictions import ADDED, Predictions
from .scored_models import match_classes
from .temporal_protocol import TemporalProtocol

_MOMENTS = tuple(f"moment_{n}" for n in range(localization.NUM_MOMENTS))
COLUMNS = (
    *("number", "id", "path", "intervals", "length", "video", *_MOMENTS, "error"),
    *ADDED,
)


class _Named(NamedTuple):
    path: str
    class_names: tuple[str, ...]


@suggest_arguments
def evaluate_temporal(
    checkpoints: Mapping[str, str | os.PathLike],
    sources: Sequence[Clip | Record],
    class_names: Sequence[str],
    out: str | os.PathLike,
    *,
    protocol: TemporalProtocol = TemporalProtocol(),  # noqa: B008
    options: EvaluationOptions = EvaluationOptions(),  # noqa: B008
) -> PrecisionResults:
    """Evaluates I3D on videos in which several labels hold at their times.

    A video is scored over time. Its score for a class is the largest probability; its
    scores at 25 equally spaced moments (0, 1/25, ... of its length) are judged one by
    one. A model of one label a clip (softmax) is judged by its probabilities alike.

    Args:
        checkpoints: by stream: "rgb", "flow" or both.
        sources: the videos, with their labels.
        class_names: names of the dataset's classes, by label index; the model may have
            others besides.
        out: folder of the results: predictions.csv with the scores of each video,
            per_class.csv, precision_recall.png and settings.json. Called again after an
            interruption, it resumes as `evaluate` does.
        protocol: dense logits, or windows.
        options: how it runs; videos are read one by one, whatever `num_readers`.

    Returns:
        The figures.

    Raises:
        OSError: a file is missing, or cannot be read or written.
        ValueError: checkpoints or classes do not fit, the folder was begun with other
            settings, more videos than `max_damaged` cannot be read, none can, or flow
            is needed and no record has it.

    Source: `Charades_v1_classify.m` and `Charades_v1_localize.m`.

    Examples:
        >>> table = read_intervals("minutes/labels.csv")
        >>> evaluate_temporal({"rgb": "run/best"}, table.split("test"),
        ...                   table.class_names, "out")
    """
    sources = list(sources)
    if "flow" in checkpoints:
        clip_streams.check_flow(sources)
    classifier = Classifier(*checkpoints.values(), dtype=options.dtype)
    named = _Named(str(next(iter(checkpoints.values()))), classifier.class_names)
    names = match_classes({"model": named}, class_names).names
    columns = [names.index(name) for name in class_names]
    settings = _settings(sources, class_names, classifier, protocol, options)
    files.make_dirs(out)
    with run_dir.only_run(out):
        run_dir.clear_unfinished(out)
        notes = {f"{name}_checkpoint": str(p) for name, p in checkpoints.items()}
        run_dir.keep_settings(
            files.join(out, "settings.json"), settings, notes={**options.notes, **notes}
        )
        with Predictions(files.join(out, "predictions.csv"), COLUMNS) as done:
            if options.retry_failed:
                done.drop_failed()
            if changed := done.drop_changed(sources):
                logging.info("%d videos have changed and are done again", len(changed))
            _run(sources, done, classifier, class_names, columns, protocol, options)
            done.sort()
        rows = list(done.rows.values())
        found = _conclude(rows, class_names)
        precision_results.write_per_class(found, files.join(out, "per_class.csv"))
        draw_precision_recall(
            found.scores,
            found.held,
            found.precision["moment"],
            class_names,
            f"moments of videos: mAP {found.means['moment']:.2%}",
            files.join(out, "precision_recall.png"),
        )
    return found


def _settings(sources, class_names, classifier, protocol, options):
    """What the rows depend on, as JSON's types."""
    recipe = protocol.recipe or ClipRecipe()
    return {
        "videos": len(sources),
        "dataset": run_dir.digest([sources])[:16],
        "classes": run_dir.digest_text([*class_names])[:16],
        "model": classifier.fingerprint(),
        "dtype": options.dtype,
        "window": protocol.window,
        "stride": protocol.stride,
        "short_side": recipe.short_side,
        "crop_size": recipe.crop_size,
        "image_fps": recipe.reading.image_fps,
        **options.settings,
    }


def _run(sources, done, classifier, class_names, columns, protocol, options):
    """Adds the rows that are not there yet, with a progress bar."""
    left = [number for number in range(len(sources)) if number not in done.rows]
    of_left = fingerprints([sources[number] for number in left])
    failed = {n: row for n, row in done.rows.items() if row["error"]}
    damage = DamageLimit(
        len(sources),
        options.max_damaged,
        noun="video",
        known={n: f"{row['path']}: {row['error']}" for n, row in failed.items()},
        advice="Once that is fixed, --retry_failed tries again",
    )
    with Bar(
        desc="Evaluating",
        total=len(sources),
        initial=len(sources) - len(left),
        unit="video",
    ) as bar:
        for number, fingerprint in zip(left, of_left, strict=True):
            source = sources[number]
            row = {"number": str(number), "path": source.path}
            row |= {"fingerprint": fingerprint}
            try:
                row |= _score(source, classifier, class_names, columns, protocol)
            except Exception as error:  # One bad video must not stop the others.
                row["error"] = problem_of(error, source.path)
            done.append(row)
            if row.get("error"):
                damage.add(number, f"{source.path}: {row['error']}")
            bar.update()


def _score(source, classifier, class_names, columns, protocol):
    """What a row says of the scores of a video."""
    reader = clip_streams.open_clip(source, protocol.recipe or classifier.recipe)
    found = temporal_protocol.score(classifier, source, protocol)
    intervals = [(class_names[i.index], i.start, i.end) for i in reader.intervals]
    rows = {
        name: _text(scores[columns])
        for name, scores in zip(_MOMENTS, found.moments, strict=True)
    }
    return {
        "id": reader.example_id,
        "intervals": json.dumps(intervals, ensure_ascii=False),
        "length": f"{found.length:.6g}",
        "video": _text(found.video[columns]),
        **rows,
        "damage": found.damage,
    }


def _text(scores):
    return " ".join(f"{score:.6g}" for score in scores)


def _conclude(rows, class_names):
    done = [row for row in rows if not row["error"]]
    if not done:
        raise ValueError(
            f"none of the {len(rows)} videos can be read; the first: "
            f"{rows[0]['path']}: {rows[0]['error']}"
        )
    index = {name: number for number, name in enumerate(class_names)}
    return precision_results.conclude(
        [_judged(row, index) for row in done],
        class_names,
        unread=len(rows) - len(done),
        damaged=sum(bool(row["damage"]) for row in done),
    )


def _judged(row, index):
    """The scores and labels of a row; `index` gives the number of each class."""
    intervals = [
        Interval(name, start, end, index[name])
        for name, start, end in json.loads(row["intervals"])
    ]
    held = np.zeros(len(index), bool)
    held[[interval.index for interval in intervals]] = True
    seconds = localization.moments(float(row["length"]))
    held_at = localization.labels_at(intervals, seconds, len(index))
    video, *moments = (
        np.array(row[name].split(), float) for name in ("video", *_MOMENTS)
    )
    return Judged(video, np.stack(moments), held, held_at)
