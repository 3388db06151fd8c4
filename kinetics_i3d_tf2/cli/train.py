r"""Trains or fine-tunes I3D, or what the paper compares it with, on one device or many.

Fine-tune the released RGB stream on a folder with a folder of videos for each class:
  i3d train --recipe=finetune_full --dataset=folder \
    --videos=DIR --out=RUN

The Flow stream, from records that `prepare` made:
  i3d train --recipe=finetune_full --stream=flow \
    --records=RECORDS --out=RUN

Another of the paper's architectures, which begins with Inception-V1 of images:
  i3d train --recipe=paper_scratch --model=two_stream \
    --init=inception_v1.ckpt --records=RECORDS --out=RUN

RUN/last and RUN/best are checkpoints in the released format, for evaluate_sample.py and
i3d evaluate; RUN/log.csv, RUN/tensorboard and, at the end,
RUN/curves.png say how it went. Stopped or killed, the same command goes on where the
newest checkpoint is; nothing else may be changed then but --strategy and the machine.

On several machines, run the same command on each with --strategy=multi_worker and
TF_CONFIG in the environment; all must see the same files, RUN too.
"""

import dataclasses
import math
import os
import re
import signal
import sys
import threading

from absl import flags, logging

from ..models.architecture import ENDPOINTS
from ..training.recipe import BATCH_NORM_MODES
from ..training.recipes import RECIPES
from ..utils import files, run_dir
from ..visualization import plots
from . import clip_flags, dataset_flags, program

dataset_flags.declare_for_help(records=True)
clip_flags.declare_for_help()
_RECIPE = flags.DEFINE_enum(
    "recipe", None, list(RECIPES), "What is done; the flags below change it."
)
_STREAM = flags.DEFINE_enum(
    "stream",
    None,
    ["rgb", "flow", "joint"],
    "What the model sees; by default as the recipe or the --model has it. joint is for "
    "two_stream and fused.",
)
_OUT = flags.DEFINE_string("out", None, "Folder of the run.", required=True)
_SPLIT = flags.DEFINE_string("split", "train", "Split that is trained on.")
_VAL_SPLIT = flags.DEFINE_string(
    "val_split",
    None,
    "Split that the best checkpoint is chosen on; by default val, valid, validate or "
    "validation, where there is one. none does without.",
)
_STEPS = flags.DEFINE_integer(
    "steps", None, "Steps; changes of the learning rate move in proportion.", 1
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "Clips a step, of all devices together.", 1
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", None, "The first one; later ones keep their ratio to it."
)
_DROPOUT_RATE = flags.DEFINE_float("dropout_rate", None, "Before the classifier.")
_BATCH_NORM = flags.DEFINE_enum(
    "batch_norm",
    None,
    BATCH_NORM_MODES,
    "Statistics of each device's batch, the moving averages, or all devices' batch.",
)
_BATCH_NORM_MOMENTUM = flags.DEFINE_float(
    "batch_norm_momentum",
    None,
    "Share of the moving averages that a step keeps. The release's 0.999 needs "
    "thousands of steps; with 500 from nothing, 0.95 is better.",
)
_FREEZE_UNTIL = flags.DEFINE_enum(
    "freeze_until", None, ENDPOINTS[:-2], "Train only what is above this endpoint."
)
_INIT = flags.DEFINE_string(
    "init",
    None,
    "Weights to begin with: released, the path of a checkpoint, or none. A classifier "
    "of other classes is left out.",
)
_WIDTH = flags.DEFINE_float(
    "width", 1.0, "Factor on the filters; 0.125 is a small model for trying things.", 0
)
_STRATEGY = flags.DEFINE_enum(
    "strategy",
    "mirrored",
    ["mirrored", "multi_worker", "one_device"],
    "All GPUs of this machine, of all machines in TF_CONFIG, or one.",
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
    "Arithmetic; weights stay float32. float16 is for GPUs only.",
)
_SEED = flags.DEFINE_integer("seed", 0, "What everything random follows from.", 0)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every",
    None,
    "Steps between two checkpoints, with a validation each; by default a pass over the "
    "clips, but at least a hundredth of the steps and at most 1000.",
    1,
)
_DATA_SERVICE = flags.DEFINE_string(
    "data_service",
    None,
    "grpc://host:port of a dispatcher (i3d data-service) whose "
    "workers read the clips; they come in no fixed order.",
)


def main(argv):
    """Trains what the flags ask for."""
    program.reject_positional(argv)
    if _RECIPE.value is None:
        raise ValueError(f"name a --recipe: {', '.join(RECIPES)}")
    recipe = _recipe()
    if not _OUT.value or files.is_address(_OUT.value):
        raise ValueError(
            f"--out={_OUT.value}: name a folder of this machine; runs are copied "
            "elsewhere afterwards"
        )
    with program.quiet_tensorflow():
        import tensorflow as tf

        from ..training import distribution, fit

        tf.get_logger().setLevel("WARNING")  # It tells of every kind of message sent.
        try:
            strategy = distribution.create(_STRATEGY.value)
        except tf.errors.OpError as error:
            raise OSError(f"TF_CONFIG: cannot be served: {error.message}") from error
    dataset = dataset_flags.read_dataset()
    data = fit.Data(
        dataset.split(_SPLIT.value),
        dataset.split(split) if (split := _val_split(dataset)) else (),
        dataset.class_names,
    )
    run = fit.Run(
        _OUT.value,
        _checkpoint_every(recipe, len(data.training)),
        seed=_SEED.value,
        width=_WIDTH.value,
        dtype=_DTYPE.value,
        gradient_accumulation_steps=_GRADIENT_ACCUMULATION_STEPS.value,
        data_service=_DATA_SERVICE.value,
    )
    stop = _stop_on_signals()
    number, workers = distribution.worker(strategy)
    logging.info(
        "%s: %d steps of %d clips on %d device(s); %d clips to train on, %d to "
        "validate, %d classes",
        _RECIPE.value, recipe.steps, recipe.batch_size, strategy.num_replicas_in_sync,
        len(data.training), len(data.validation), len(data.class_names),
    )  # fmt: skip
    fit.check(recipe, data, run, strategy.num_replicas_in_sync)
    try:
        if number > 0:
            fit.train(recipe, data, run, strategy=strategy, stop=stop)
            return
        files.make_dirs(_OUT.value)
        with run_dir.only_run(_OUT.value):
            settings = fit.settings_of(recipe, data, run)
            path = files.join(_OUT.value, "settings.json")
            run_dir.keep_settings(path, settings, renamed=fit.OLD_SETTINGS)
            state = fit.train(recipe, data, run, strategy=strategy, stop=stop)
    except KeyboardInterrupt:
        logging.info("Stopped; the same command goes on where this one ended")
        _end_at_once(130)
    except tf.errors.OpError as error:
        program.print_error(_explained(error, workers))
        _end_at_once(2)
    except (ValueError, OSError, MemoryError) as error:
        program.print_error(error)
        _end_at_once(2)
    _conclude(state)


def _end_at_once(status):
    """Ends the process while clips are still being read.

    Python's own end would wait for TensorFlow's threads, and they for Python.
    """
    logging.debug("Traceback:", exc_info=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _recipe():
    """The recipe that the flags name, with what they change in it."""
    recipe = RECIPES[_RECIPE.value]
    model = clip_flags.MODEL.value
    changes = {
        "model": model,
        "clip": clip_flags.clip_recipe(_STREAM.value, recipe.clip),
    }
    for flag in (
        _BATCH_SIZE, _DROPOUT_RATE, _BATCH_NORM, _BATCH_NORM_MOMENTUM, _FREEZE_UNTIL,
        _INIT,
    ):  # fmt: skip
        if flag.value is not None:
            changes[flag.name] = flag.value
    recipe = dataclasses.replace(recipe, **changes)
    if _STEPS.value is not None:
        recipe = recipe.with_steps(_STEPS.value)
    if _LEARNING_RATE.value is not None:
        recipe = recipe.with_learning_rate(_LEARNING_RATE.value)
    return recipe


def _val_split(dataset):
    if _VAL_SPLIT.value == "none":
        return None
    if _VAL_SPLIT.value is not None:
        return _VAL_SPLIT.value
    found = dataset_flags.first_split(dataset, dataset_flags.VALIDATION)
    if found is None:
        logging.warning(
            "No validation: there is no split %s, only %s (--val_split)",
            ", ".join(dataset_flags.VALIDATION), ", ".join(dataset.splits()),
        )  # fmt: skip
    return found


def _checkpoint_every(recipe, num_clips):
    if _CHECKPOINT_EVERY.value is not None:
        return _CHECKPOINT_EVERY.value
    a_pass = math.ceil(num_clips / recipe.batch_size)
    return min(1000, max(a_pass, math.ceil(recipe.steps / 100)))


def _stop_on_signals():
    """An event that the first Ctrl-C or SIGTERM sets; the second ends at once."""
    stop = threading.Event()

    def handle(number, frame):
        del frame
        signal.signal(number, signal.SIG_DFL)
        if _STRATEGY.value == "multi_worker":
            raise KeyboardInterrupt  # The others wait for this one's step.
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return stop


def _explained(error, workers):
    """An error of TensorFlow as one for people."""
    import tensorflow as tf

    message = str(error.message)
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return MemoryError(
            "the device's memory is too small for this batch; split it with "
            "--gradient_accumulation_steps=2, 4, ..., or lower --batch_size or "
            "--num_frames"
        )
    lost = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.InternalError,
        tf.errors.DeadlineExceededError,
    )
    # Of the functions that read clips, and of checks inside of graphs.
    reason = re.search(r"(?:ValueError|OSError): (.+)", message)
    reason = reason or re.search(r"assertion failed: \[b?'?([^\]']+)", message)
    if reason:
        return ValueError(reason[1])
    if workers > 1 and isinstance(error, lost):
        return OSError(
            "another worker was lost; start all of them again, and training goes on "
            "after the newest checkpoint"
        )
    return ValueError(f"TensorFlow: {message}")


def _conclude(state):
    if state["history"]:
        picture = files.join(_OUT.value, "curves.png")
        plots.draw_training(state["history"], _RECIPE.value, picture)
    print(f"{state['step']} steps are done. Checkpoints: {_OUT.value}/last")
    best = state["best"]
    if best:
        print(
            f"The best is {_OUT.value}/best, of step {best['step']}: top-1 of "
            f"{best['val_top1']:.2%} on the validation split"
        )
