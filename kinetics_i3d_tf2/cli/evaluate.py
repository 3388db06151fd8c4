r"""Evaluates checkpoints on a dataset: top-1, top-5, each class, the confusion matrix.

Both streams of the release on a folder of videos that holds a folder for each class:
  i3d evaluate --dataset=folder --videos=DIR --out=RESULTS

A model of your own, on prepared records, with 30 views of 64 frames:
  i3d evaluate --records=RECORDS --eval_type=rgb \
    --rgb_checkpoint=DIR/model.ckpt --protocol=views --out=RESULTS

Protocols, each with or without --flip, which averages in the mirrored clip:
  whole          all frames, central 224 crop, mean of the logits (the paper's test)
  views          3 crops of each of 10 clips of 64 frames, mean of the probabilities
  convolutional  all frames, central 256 crop, logits averaged over space as well
Joint logits are the sum of both streams', which are also reported each on its own.
With --model=c3d, two_stream or fused, whole is windows of a training clip's length, one
after another, and the mean of their probabilities.

RESULTS holds predictions.csv with a row for each clip, per_class.csv, confusion.csv,
confusion.png and settings.json. Stopped or killed, the same command goes on after the
clips that are done. Clips that cannot be read are left out, and listed with the reason.
TV-L1 flow of videos takes 0.4 to 0.8 s a frame and core; prepare it once as records
(i3d prepare) to evaluate more than once.
"""

import collections
import contextlib
import dataclasses
import os
import re

from absl import flags, logging
from tqdm import tqdm

from ..data import clip_reader, prefetch
from ..data.clip_recipe import ClipRecipe
from ..data.damage_limit import DamageLimit
from ..data.records import tfrecord
from ..evaluation import predictions, results
from ..models.architecture import MIN_SIZE
from ..utils import files, run_dir
from ..video import transforms
from ..video.tvl1_parameters import EPSILON
from ..visualization import plots
from . import clip_flags, dataset_flags, flow_flags, model_flags, program

dataset_flags.declare_for_help(records=True)
clip_flags.declare_for_help()
flow_flags.declare_for_help()
model_flags.declare_for_help(top=False)
_SPLIT = flags.DEFINE_string(
    "split", None, "Split to evaluate on; by default that of validation, or of test."
)
_PROTOCOL = flags.DEFINE_enum(
    "protocol", "whole", ["whole", "views", "convolutional"], "How clips are seen."
)
_VIEWS = flags.DEFINE_string(
    "views", "10x3", "Temporal clips x spatial crops, of --protocol=views."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size",
    4,
    "Views or windows at once; 4 of 64 frames need the memory of a whole clip.",
    1,
)
_FLIP = flags.DEFINE_boolean("flip", False, "Average in the mirrored clip.")
_SHORT_SIDE = flags.DEFINE_integer(
    "short_side", transforms.SHORT_SIDE, "Short side of the frames.", MIN_SIZE
)
_CROP_SIZE = flags.DEFINE_integer(
    "crop_size",
    None,
    f"Side of the square; by default {transforms.CROP_SIZE}, for convolutional all of "
    "--short_side.",
    MIN_SIZE,
)
_MAX_DAMAGED = flags.DEFINE_float(
    "max_damaged", 0.1, "Share of clips that may be unreadable.", 0, 1
)
_RETRY_FAILED = flags.DEFINE_boolean(
    "retry_failed", False, "Try clips again that could not be read in an earlier run."
)
_NUM_READERS = flags.DEFINE_integer(
    "num_readers",
    None,
    "Clips read at once, by default one a core; ten seconds need 65 MB each, with flow "
    "of videos 240 MB.",
    1,
)
_OUT = flags.DEFINE_string("out", None, "Folder of the results.", required=True)
_JSON = flags.DEFINE_string("json", None, "Also write the figures to this file.")


def main(argv):
    """Evaluates what the flags ask for."""
    program.reject_positional(argv)
    _check_flags()
    recipe, views = _recipe(), _parse_views()
    dataset = dataset_flags.read_dataset()
    split = _split(dataset)
    sources = list(dataset.split(split))
    checkpoints = model_flags.find_checkpoints().paths
    with program.quiet_tensorflow():
        from ..evaluation import protocols
    if "flow" in recipe.streams and isinstance(sources[0], tfrecord.Record):
        clip_reader.check_flow(sources[0])
    protocol = protocols.Protocol(recipe, views, _FLIP.value, _BATCH_SIZE.value)
    kind, dtype = clip_flags.MODEL.value, model_flags.dtype()
    models = {
        stream: protocols.Model(path, stream, kind=kind, dtype=dtype)
        for stream, path in checkpoints.items()
    }
    classes = protocols.match_classes(models, dataset.class_names)
    settings = {
        "split": split,
        "clips": len(sources),
        "dataset": run_dir.digest([sources])[:16],
        "classes": run_dir.digest_text([*classes.names, *dataset.class_names])[:16],
        **{f"{name}_checkpoint": m.fingerprint for name, m in models.items()},
        "model": kind,
        "eval_type": model_flags.eval_type(),
        "dtype": dtype,
        **{f.name: f.value for f in (_PROTOCOL, _FLIP)},
        "short_side": recipe.short_side,
        "crop_size": recipe.crop_size,
        "num_frames": recipe.num_frames,
        "rgb_stride": recipe.rgb_stride,
        **({"views": _VIEWS.value} if views else {}),
        **_flow_settings(recipe),
    }
    os.makedirs(_OUT.value, exist_ok=True)
    with run_dir.only_run(_OUT.value):
        notes = {"dataset": dataset_flags.source()}
        notes |= {f"{name}_checkpoint": str(p) for name, p in checkpoints.items()}
        path = files.join(_OUT.value, "settings.json")
        run_dir.keep_settings(path, settings, notes=notes)
        path = files.join(_OUT.value, "predictions.csv")
        scored = protocols.scored(models)
        columns = predictions.columns(scored)
        with predictions.Predictions(path, columns) as done:
            if _RETRY_FAILED.value:
                done.drop_failed()
            _run(sources, done, classes, protocol, models)
            done.sort()
        _conclude(list(done.rows.values()), scored, classes.names, settings)


def _check_flags():
    is_windowed = ClipRecipe.of_model(clip_flags.MODEL.value).windowed
    for flag in (_VIEWS, *[_BATCH_SIZE] * (not is_windowed)):
        if flag.present and _PROTOCOL.value != "views":
            raise ValueError(f"--{flag.name} is for --protocol=views")
    model_flags.check()
    if clip_flags.MODEL.value != "i3d":
        for flag in (_SHORT_SIDE, _CROP_SIZE):
            if flag.present:
                raise ValueError(f"--{flag.name} is for --model=i3d")
        if _PROTOCOL.value == "convolutional":
            raise ValueError("--protocol=convolutional is for --model=i3d")
    elif clip_flags.NUM_FRAMES.present and _PROTOCOL.value != "views":
        raise ValueError("--num_frames is for --protocol=views")
    if files.is_address(_OUT.value):
        raise ValueError(f"--out={_OUT.value}: name a folder on this machine")
    program.check_output(_JSON)


def _recipe():
    recipe = flow_flags.apply(clip_flags.clip_recipe(model_flags.stream()))
    if clip_flags.MODEL.value != "i3d":
        return recipe
    crop_size = _CROP_SIZE.value
    if crop_size is None:
        is_convolutional = _PROTOCOL.value == "convolutional"
        crop_size = _SHORT_SIDE.value if is_convolutional else transforms.CROP_SIZE
    return dataclasses.replace(
        recipe, short_side=_SHORT_SIDE.value, crop_size=crop_size
    )


def _flow_settings(recipe):
    """The flow's epsilon where it is not the usual one, of which older runs are."""
    if "flow" not in recipe.streams or recipe.flow_epsilon == EPSILON:
        return {}
    return {"flow_epsilon": recipe.flow_epsilon}


def _parse_views():
    if _PROTOCOL.value != "views":
        return None
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", _VIEWS.value)
    if not found:
        raise ValueError(
            f"--views={_VIEWS.value}: type temporal clips x spatial crops, as 10x3"
        )
    return int(found[1]), int(found[2])


def _split(dataset):
    names = (*dataset_flags.VALIDATION, *dataset_flags.TEST)
    found = _SPLIT.value or dataset_flags.first_split(dataset, names)
    if found is None:
        raise ValueError(
            "name the split to evaluate on with --split; there are: "
            f"{', '.join(dataset.splits())}"
        )
    return found


def _run(sources, done, classes, protocol, models):
    """Adds the rows that are not there yet, with a progress bar."""
    from ..evaluation import protocols

    left = [number for number in range(len(sources)) if number not in done.rows]
    if not left:
        logging.info("All %d clips were done before", len(sources))
        return
    failed = {n: row for n, row in done.rows.items() if row["error"]}
    damage = DamageLimit(
        len(sources),
        _MAX_DAMAGED.value,
        known={n: f"{row['path']}: {row['error']}" for n, row in failed.items()},
        advice="Once that is fixed, --retry_failed tries again",
    )
    final = protocols.scored(models)[-1]
    seen = collections.Counter(row[f"{final}_rank"] for row in done.rows.values())
    bar = tqdm(
        desc="Evaluating",
        total=len(sources),
        initial=len(sources) - len(left),
        unit="clip",
        smoothing=0,  # Clips come in bursts; their average foretells best.
    )
    clips = prefetch.read_in_order(
        sources, protocol.recipe, left, threads=_NUM_READERS.value
    )
    try:
        with bar, contextlib.closing(clips):
            for clip in clips:
                row = predictions.describe(clip, classes.of_dataset)
                if not row["error"]:
                    scores = protocols.score(models, clip.streams, protocol)
                    row |= predictions.describe_scores(
                        scores, classes.names, row["label"]
                    )
                done.append(row)
                if row["error"]:
                    damage.add(clip.number, f"{row['path']}: {row['error']}")
                seen[row.get(f"{final}_rank", "")] += 1
                labelled = seen.total() - seen[""]
                if labelled:
                    bar.set_postfix_str(f"top-1 {seen['1'] / labelled:.1%}", False)
                bar.update()
    except KeyboardInterrupt:
        # Readers cannot be stopped: one that computes flow would be waited for.
        logging.info("Stopped; the same command goes on where this one ended")
        os._exit(130)


def _conclude(rows, scored, class_names, settings):
    """Writes the files and prints the figures."""
    found = results.conclude(rows, scored, class_names)
    if found.clips:
        results.write_per_class(found, files.join(_OUT.value, "per_class.csv"))
        results.write_confusion(found, files.join(_OUT.value, "confusion.csv"))
        title = f"{scored[-1]}: {found.figures[scored[-1]]['top_1']:.2%} top-1"
        picture = files.join(_OUT.value, "confusion.png")
        plots.draw_confusion(found.confusion, class_names, title, picture)
        print(results.table(found))
    if _JSON.value is not None:
        results.write_json(found, _JSON.value, settings)
    without = f", {found.unlabelled} without a label" * bool(found.unlabelled)
    retry = " (--retry_failed tries them again)" if found.unread else ""
    print(
        f"{found.clips} clips{without}; {found.unread} could not be read{retry}; see "
        f"{_OUT.value}"
    )
