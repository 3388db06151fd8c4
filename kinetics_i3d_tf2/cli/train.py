r"""Trains or fine-tunes a model, on one device or many.

Fine-tune the released RGB stream on videos in one folder per class:
  i3d train --recipe=finetune_full --dataset=folder --videos=DIR --out=RUN

Train the Flow stream on records that `i3d prepare` wrote:
  i3d train --recipe=finetune_full --stream=flow --records=RECORDS --out=RUN

Train on several labels at once, with their times, from a CSV path,label,start,end:
  i3d train --recipe=finetune_full --loss=sigmoid --temporal=dense \
    --dataset=intervals --annotations=labels.csv --videos=DIR --out=RUN

Train another of the paper's architectures from image weights of Inception-V1:
  i3d train --recipe=paper_scratch --model=two_stream \
    --init=inception_v1.ckpt --records=RECORDS --out=RUN

RUN/last and RUN/best are checkpoints in the released format, for i3d classify and
i3d evaluate. RUN/log.csv, RUN/tensorboard and, at the end, RUN/curves.png show the
progress. If the training is stopped or killed, the same command resumes it at the
newest checkpoint; only --strategy and the machine may differ. With larger --steps or
--epochs it goes on to the new end, also if it was finished.

To train on several machines, run the same command on each with --strategy=multi_worker
and TF_CONFIG in the environment. All machines must see the same files, including RUN.
"""

import math
import signal
import threading

from absl import flags, logging

from ..data.hold_out import hold_out
from ..data.listings import splits
from ..training import class_weights
from . import program
from .flags import clip_flags, dataset_flags, flow_flags, reading_flags, recipe_flags

recipe_flags.declare_for_help()
dataset_flags.declare_for_help(records=True)
clip_flags.declare_for_help()
flow_flags.declare_for_help()
reading_flags.declare_for_help()
_OUT = flags.DEFINE_string("out", None, "Folder of the run.", required=True)
_SPLIT = flags.DEFINE_string("split", "train", "Split to train on.")
_VAL_SPLIT = flags.DEFINE_string(
    "val_split",
    None,
    "Split that selects the best checkpoint, or none; by default val, valid, "
    "validation or dev, if there is one.",
)
_VALIDATION_SPLIT = flags.DEFINE_float(
    "validation_split",
    None,
    "Share of the clips of --split to validate on instead of training on them, for a "
    "dataset without a validation split; drawn from --seed, of each class.",
)
_EPOCHS = flags.DEFINE_integer(
    "epochs", None, "Passes over the clips to train on, instead of --steps.", 1
)
_WIDTH = flags.DEFINE_float(
    "width",
    None,
    "Factor on the number of filters; 0.125 is a small model. By default that of the "
    "checkpoint --init, or 1.",
    0,
)
_STRATEGY = flags.DEFINE_enum(
    "strategy",
    "mirrored",
    ["mirrored", "multi_worker", "one_device"],
    "All GPUs of this machine, those of all machines in TF_CONFIG, or one device.",
)
_GRADIENT_ACCUMULATION_STEPS = flags.DEFINE_integer(
    "gradient_accumulation_steps",
    1,
    "Number of microbatches that a device's share of a batch is split into, for "
    "batches that do not fit into memory.",
    1,
)
_DTYPE = flags.DEFINE_enum(
    "dtype",
    "float32",
    ["float32", "mixed_bfloat16", "mixed_float16"],
    "Dtype policy; weights stay float32. mixed_float16 needs a GPU.",
)
_CLASS_WEIGHTS = flags.DEFINE_string(
    "class_weights",
    None,
    "balanced, which weighs rare classes more, or a CSV class,weight.",
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of weights, clips and dropout.", 0)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every",
    None,
    "Steps between two checkpoints, each with a validation; by default one epoch, but "
    "at least a hundredth of the steps and at most 1000.",
    1,
)
_DATA_SERVICE = flags.DEFINE_string(
    "data_service",
    None,
    "grpc://host:port of a dispatcher (i3d data-service) whose workers read the clips; "
    "their order is not reproducible.",
)


def main(argv):
    """Trains as the flags specify."""
    program.reject_positional(argv)
    _check_flags()
    recipe = recipe_flags.recipe()
    with program.quiet_tensorflow():
        import tensorflow as tf

        import kinetics_i3d_tf2 as i3d

        from ..training import distribution, fit

        tf.get_logger().setLevel("WARNING")  # INFO reports every message it sends.
        fit.check_out(_OUT.value)
        strategy = distribution.create(_STRATEGY.value)
    dataset = dataset_flags.read_dataset()
    reading_flags.check_fps(dataset.split(_SPLIT.value))
    data = i3d.TrainingData(*_splits(dataset), dataset.class_names)
    if _EPOCHS.value is not None:
        steps = math.ceil(_EPOCHS.value * len(data.training) / recipe.batch_size)
        recipe = recipe.with_steps(steps)
    options = i3d.TrainingOptions(
        checkpoint_every=_CHECKPOINT_EVERY.value,
        seed=_SEED.value,
        width=_WIDTH.value,
        dtype=_DTYPE.value,
        gradient_accumulation_steps=_GRADIENT_ACCUMULATION_STEPS.value,
        data_service=_DATA_SERVICE.value,
        class_weights=_class_weights(data.class_names),
    )
    try:
        state = i3d.train(
            recipe,
            data,
            _OUT.value,
            options=options,
            strategy=strategy,
            stop=_stop_on_signals(),
        )
    except KeyboardInterrupt:
        logging.info("Stopped; run the same command again to resume")
        program.skip_shutdown(130)
        raise
    except (ValueError, OSError, MemoryError):
        program.skip_shutdown(2)
        raise
    if distribution.worker(strategy)[0] == 0:
        _print(state)


def _splits(dataset):
    """The clips to train on and the clips to validate on."""
    training = dataset.split(_SPLIT.value)
    if _VALIDATION_SPLIT.value is not None:
        return hold_out(training, _VALIDATION_SPLIT.value, seed=_SEED.value)
    name = _val_split(dataset)
    return training, dataset.split(name) if name else ()


def _class_weights(class_names):
    """The weights of the flag, as of `TrainingOptions`."""
    if _CLASS_WEIGHTS.value in (None, class_weights.BALANCED):
        return _CLASS_WEIGHTS.value
    return class_weights.read_class_weights(_CLASS_WEIGHTS.value, class_names)


def _check_flags():
    if _VALIDATION_SPLIT.present and _VAL_SPLIT.present:
        raise ValueError("set either --validation_split or --val_split, not both")
    if _EPOCHS.present and flags.FLAGS["steps"].present:
        raise ValueError("set either --epochs or --steps, not both")


def _val_split(dataset):
    """Name of the validation split, or None."""
    if _VAL_SPLIT.value == "none":
        return None
    if _VAL_SPLIT.value is not None:
        return _VAL_SPLIT.value
    found = dataset_flags.first_split(dataset, ("val",))
    if found is None:
        logging.warning(
            "No validation: there is no split %s, only %s (--val_split)",
            ", ".join(splits.SPLITS["val"]),
            ", ".join(dataset.splits()),
        )
    return found


def _stop_on_signals():
    """An event that the first Ctrl-C or SIGTERM sets; the second ends at once."""
    stop = threading.Event()

    def handle(number, frame):
        del frame
        signal.signal(number, signal.SIG_DFL)
        if _STRATEGY.value == "multi_worker":
            raise KeyboardInterrupt  # The other workers wait for this one's step.
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return stop


def _print(state):
    print(f"{state.step} steps are done. Checkpoints: {_OUT.value}/last")
    if state.best:
        print(
            f"The best is {_OUT.value}/best, of step {state.best['step']}: "
            f"{_score(state.best)} on the validation split"
        )
    else:
        print(f"Without a validation split, {_OUT.value}/best is the last")


def _score(row):
    """The score of a log row, for people."""
    if "val_top1" in row:
        return f"top-1 of {row['val_top1']:.2%}"
    return f"mean average precision of {row['val_map']:.2%}"
