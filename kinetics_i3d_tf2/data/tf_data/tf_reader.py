"""Reads clips inside TensorFlow's graphs, and counts those that cannot be read.

The work is done by FFmpeg and OpenCV, outside the interpreter lock, in parallel.
"""

import dataclasses
import json
import os
import uuid
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ...streams import CHANNELS
from ...utils.damage_limit import DamageLimit
from ...utils.errors import problem_of
from .. import clip_reader, clip_streams
from ..clip_recipe import ClipRecipe
from ..clips import NO_LABEL, Clip, from_folder
from ..records.tfrecord import Record
from . import service

# Clips that could not be read, by pipeline, in this process.
_damage: dict[str, DamageLimit] = {}


class Loader:
    """Reads the clips of one dataset by one recipe.

    Args:
        sources: all clips or all records.
        recipe: streams, length, size and augmentation.
        for_service: whether workers of tf.data service read them, in their processes.

    Raises:
        ValueError: there are none, or clips and records are mixed.

    Attributes:
        rows: string tensor, the sources as text: input of the methods.
    """

    def __init__(
        self,
        sources: Sequence[Clip | Record],
        recipe: ClipRecipe,
        *,
        for_service: bool = False,
    ):
        if not len(sources):
            raise ValueError("There are no clips in the dataset")
        kinds = {type(source) for source in sources}
        if not kinds <= {Clip, Record} or not isinstance(recipe, ClipRecipe):
            raise ValueError(
                "Expected a table of clips (read_folder, ...) or records (find_records)"
                f", and a ClipRecipe. Received: {sources!r:.80}, {recipe!r:.80}"
            )
        if len(kinds) > 1:
            raise ValueError("A dataset is of clips or of records, not of both")
        if "flow" in recipe.streams:
            clip_streams.check_flow(sources)
        folder = os.getcwd() if for_service else ""
        self.rows = tf.constant([_pack(source, folder) for source in sources])
        self._for_service = for_service
        self._targets, self._num_frames = recipe.targets, recipe.num_frames
        # As `clip_reader` gives them.
        self._dtypes = {
            name: "float32" if name == "flow" and kinds == {Clip} else "uint8"
            for name in recipe.streams
        }
        size = recipe.crop_size
        self._shapes = {
            name: (recipe.length(name), size, size, CHANNELS[name])
            for name in recipe.streams
        }
        self._config = json.dumps(
            {
                "pipeline": uuid.uuid4().hex,
                "num_clips": len(sources),
                "recipe": dataclasses.asdict(recipe),
                "dtypes": self._dtypes,
            }
        )

    def training_sample(self, rows: tf.Tensor, seeds: tf.Tensor):
        """`clip_reader.training_sample` of the first row that can be read.

        Args:
            rows: string `(candidates,)`, from `self.rows`.
            seeds: int64 `(n,)`, seeds of the random generator.

        Returns:
            Dict of streams, and the label: int64, or float32 as of `recipe.targets`.
        """
        label = None
        if self._targets is not None:
            label = self._targets.shape(self._num_frames)
        return self._call(_training_sample, [rows, seeds], self._shapes, label)

    def whole_clip(self, row: tf.Tensor, *, is_central: bool = False):
        """`clip_reader.whole_clip` of a row; empty streams if it cannot be read.

        Args:
            row: string scalar, from `self.rows`.
            is_central: whether only the frames of the middle view are read.

        Returns:
            Dict of streams, and the label: int64, or with `recipe.targets` those of all
            frames, float32 `(frames, classes)`.
        """
        label = None
        if self._targets is not None:
            label = (None, self._targets.num_classes)
        free = {name: (None, None, None, CHANNELS[name]) for name in self._shapes}
        function = _central_clip if is_central else _whole_clip
        return self._call(function, [row], free, label)

    def _call(self, function, arguments, shapes, label_shape):
        arguments = [tf.constant(self._config), *arguments]
        label_dtype = tf.int64 if label_shape is None else tf.float32
        dtypes = [*self._dtypes.values(), label_dtype]
        if self._for_service:
            outputs = service.call_by_name(function, arguments, dtypes)
        else:
            outputs = tf.numpy_function(function, arguments, dtypes, stateful=False)
        *streams, label = outputs
        clip = {
            name: tf.ensure_shape(stream, shapes[name])
            for name, stream in zip(self._dtypes, streams, strict=True)
        }
        return clip, tf.ensure_shape(label, label_shape or ())


def _training_sample(config, rows, seeds):
    settings, recipe = _settings(config)
    for row in rows:
        # A new one for each: a sample depends on its place and its clip alone.
        rng = np.random.default_rng(np.asarray(seeds, np.uint64))
        source = _unpack(row)
        try:
            return _outputs(*clip_reader.training_sample(source, recipe, rng))
        except Exception as error:  # One bad clip must not stop the others.
            problem = problem_of(error, source.path)
        _skip(settings, recipe, source, problem)
    raise ValueError(f"{len(rows)} clips in a row cannot be read; see the log")


def _whole_clip(config, row):
    return _read(clip_reader.whole_clip, config, row)


def _central_clip(config, row):
    return _read(clip_reader.central_clip, config, row)


def _read(function, config, row):
    settings, recipe = _settings(config)
    source = _unpack(row)
    try:
        return _outputs(*function(source, recipe))
    except Exception as error:  # One bad clip must not stop the others.
        problem = problem_of(error, source.path)
    _skip(settings, recipe, source, problem)
    empty = {
        name: np.empty((0, 0, 0, CHANNELS[name]), dtype)
        for name, dtype in settings["dtypes"].items()
    }
    targets = recipe.targets
    label = NO_LABEL if targets is None else np.zeros((0, targets.num_classes))
    return _outputs(empty, label)


def _pack(source, folder):
    """A clip or record of a folder as text, for a tensor of strings."""
    source = from_folder(source, folder)
    return json.dumps([type(source).__name__, *source])


def _unpack(text):
    kind, *values = json.loads(text)
    return Clip.from_json(values) if kind == "Clip" else Record(*values)


def _settings(config):
    settings = json.loads(config)
    return settings, ClipRecipe.from_json(settings["recipe"])


def _outputs(streams, label):
    label = np.float32(label) if isinstance(label, np.ndarray) else np.int64(label)
    return [*map(np.ascontiguousarray, streams.values()), label]


def _skip(settings, recipe, source, problem):
    """Counts a clip that cannot be read; raises when there are too many."""
    limit = DamageLimit(settings["num_clips"], recipe.max_damaged)
    limit = _damage.setdefault(settings["pipeline"], limit)
    limit.add(source, f"{source.path}: {problem}")


def register() -> None:
    """Makes the functions of this module known to the workers of tf.data service."""
    for function in (_training_sample, _whole_clip, _central_clip):
        service.register(function)
