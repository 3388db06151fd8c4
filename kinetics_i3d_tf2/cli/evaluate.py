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
  dense          several labels at once: the logits of each 8 frames, in --dataset=
                 intervals and charades, or in records of them
  windows        the same with windows of --window seconds, one after another
Joint logits are the sum of both streams', which are also reported each on its own.
With --model=c3d, two_stream or fused, whole is windows of a training clip's length, one
after another, and the mean of their probabilities.

Several labels at once are judged by mean average precision (mAP): of videos, by the
largest probability over time, and of 25 equally spaced moments of each video. A model
of one label is judged alike. RESULTS then holds precision_recall.png:
  i3d evaluate --dataset=intervals --annotations=FILE --split=test --eval_type=rgb \
    --rgb_checkpoint=DIR --out=RESULTS

RESULTS holds predictions.csv with a row for each clip, per_class.csv, confusion.csv,
confusion.png and settings.json. Stopped or killed, the same command goes on after the
clips that are done; those that have changed since are done again. Clips that cannot be
read are left out, and listed with the reason.
TV-L1 flow of videos takes 0.4 to 0.8 s a frame and core; prepare it once as records
(i3d prepare) to evaluate more than once.
"""

import dataclasses
import re

from absl import flags, logging

from ..data.clip_recipe import ClipRecipe
from ..models.architecture import MIN_SIZE
from ..utils import files
from ..video import transforms
from . import evaluate_over_time, evaluation_report, output_flags, program
from .flags import (
    chosen_checkpoints,
    clip_flags,
    dataset_flags,
    flow_flags,
    model_flags,
    reading_flags,
)

dataset_flags.declare_for_help(records=True)
clip_flags.declare_for_help()
flow_flags.declare_for_help()
reading_flags.declare_for_help()
model_flags.declare_for_help(top=False)
evaluate_over_time.declare_for_help()
_SPLIT = flags.DEFINE_string(
    "split", None, "Split to evaluate on; by default that of validation, or of test."
)
_PROTOCOL = flags.DEFINE_enum(
    "protocol",
    None,
    ["whole", "views", "convolutional", *evaluate_over_time.PROTOCOLS],
    "How clips are seen; by default whole, and dense of videos with several labels.",
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
_JSON = flags.DEFINE_string(
    "json",
    None,
    "Also write the figures to this file; - is standard output, without the rest.",
)


def main(argv):
    """Evaluates what the flags ask for."""
    program.reject_positional(argv)
    _check_flags()
    recipe, views = _recipe(), _parse_views()
    dataset = dataset_flags.read_dataset()
    split = _split(dataset)
    name = evaluate_over_time.resolve(_PROTOCOL.value, dataset)
    sources = list(dataset.split(split))
    reading_flags.check_fps(sources)
    checkpoints = chosen_checkpoints.find_checkpoints().paths
    with program.quiet_tensorflow():
        from ..evaluation import evaluate as engine
        from ..evaluation import protocols, results
    options = _options(engine.EvaluationOptions, split, name)
    if name in evaluate_over_time.PROTOCOLS:
        if _FLIP.value:
            raise ValueError(f"--flip is not for --protocol={name}")
        found = evaluate_over_time.run(
            checkpoints,
            sources,
            dataset.class_names,
            _OUT.value,
            recipe,
            _BATCH_SIZE.value,
            options,
        )
        evaluate_over_time.report(found, _OUT.value, _JSON)
        return
    protocol = protocols.Protocol(recipe, views, _FLIP.value, _BATCH_SIZE.value)
    try:
        found = engine.evaluate(
            checkpoints,
            sources,
            dataset.class_names,
            _OUT.value,
            protocol=protocol,
            architecture=clip_flags.MODEL.value,
            options=options,
        )
    except KeyboardInterrupt:
        # Readers cannot be stopped: one that computes flow would be waited for.
        logging.info("Stopped; the same command resumes after the clips that are done")
        program.exit_at_once(130)
    without = f", {found.unlabelled} without a label" if found.unlabelled else ""
    counted = f"{found.clips} clips{without}"
    has_figures = bool(found.clips)
    evaluation_report.report(
        found, results, counted, _OUT.value, _JSON, has_figures=has_figures
    )


def _options(options_type, split, protocol):
    """The options of an evaluation, with what its folder keeps of the flags."""
    views = {"views": _VIEWS.value} if _PROTOCOL.value == "views" else {}
    return options_type(
        dtype=model_flags.dtype(),
        max_damaged=_MAX_DAMAGED.value,
        retry_failed=_RETRY_FAILED.value,
        num_readers=_NUM_READERS.value,
        settings={
            "split": split,
            "eval_type": model_flags.eval_type(),
            "protocol": protocol,
            **views,
        },
        notes={"dataset": dataset_flags.source()},
    )


def _check_flags():
    is_windowed = ClipRecipe.of_model(clip_flags.MODEL.value).windowed
    is_batched = is_windowed or _PROTOCOL.value == "windows"
    for flag in [_VIEWS] if is_batched else [_VIEWS, _BATCH_SIZE]:
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
    files.check_writable(_OUT.value)
    output_flags.check(_JSON, stdout=True)


def _recipe():
    recipe = flow_flags.apply(clip_flags.clip_recipe(model_flags.stream()))
    recipe = reading_flags.apply(recipe)
    if clip_flags.MODEL.value != "i3d":
        return recipe
    crop_size = _CROP_SIZE.value
    if crop_size is None:
        is_convolutional = _PROTOCOL.value == "convolutional"
        crop_size = _SHORT_SIDE.value if is_convolutional else transforms.CROP_SIZE
    return dataclasses.replace(
        recipe, short_side=_SHORT_SIDE.value, crop_size=crop_size
    )


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
    found = _SPLIT.value or dataset_flags.first_split(dataset, ("val", "test"))
    if found is None:
        raise ValueError(
            "name the split to evaluate on with --split; there are: "
            f"{', '.join(dataset.splits())}"
        )
    return found
