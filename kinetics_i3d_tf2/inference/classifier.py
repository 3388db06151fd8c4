"""Classifier: a video or its frames in, scores out."""

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping

import keras
import numpy as np
from absl import logging

from ..checkpoints import released
from ..checkpoints.checkpoint import Checkpoint
from ..data import preprocessing, sources
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..models.architecture import MIN_FRAMES
from ..streams import CHANNELS, title
from ..video.reader import FRAME_RATE
from . import graph, labelling
from .frames import MAX_FRAMES, read_frames
from .labelling import LabellingOptions, VideoScores
from .scores import Scores, joint_logits


class Classifier:
    """Classifies videos with I3D, one stream or both.

    Args:
        checkpoints: one or two of different streams: names of released checkpoints,
            downloaded if they are absent, or paths of checkpoints of your own.
        dtype: "float32", or "bfloat16" for faster arithmetic on some processors.

    Raises:
        OSError: a checkpoint is missing or cannot be downloaded.
        ValueError: a checkpoint is damaged, of another architecture, or two are of one
            stream or of different classes.

    Examples:
        >>> classifier = Classifier("rgb_imagenet", "flow_imagenet")
        >>> classifier("clip.mp4", top=2)
        [('playing cricket', 0.9999), ('hurling (sport)', 1.5e-09)]

    Attributes:
        models: Keras model of each stream, "rgb" before "flow".
        class_names: names of the classes, by index.
    """

    def __init__(self, *checkpoints: str | os.PathLike, dtype: str = "float32"):
        opened = [Checkpoint(_find(checkpoint)) for checkpoint in checkpoints]
        loaded = [checkpoint.build_model() for checkpoint in opened]
        names = {checkpoint.class_names for checkpoint in opened}
        if len(names) != 1:
            raise ValueError(
                "checkpoints must be one or two with the same classes. Received: "
                f"{', '.join(map(str, checkpoints)) or 'none'}"
            )
        models = {_stream_of(model): model for model in loaded}
        if len(models) < len(loaded):
            raise ValueError(
                "checkpoints must be of different streams. Received two of "
                f"{next(iter(models))}: {', '.join(map(str, checkpoints))}"
            )
        self._set(models, names.pop(), dtype)

    @classmethod
    def of_models(
        cls,
        models: Mapping[str, keras.Model],
        class_names: Iterable[str],
        *,
        dtype: str = "float32",
    ) -> "Classifier":
        """Makes a classifier of models that are built already.

        Args:
            models: `InceptionI3d` by stream, "rgb" or "flow".
            class_names: names of the classes, by index.
            dtype: as of `Classifier`.
        """
        classifier = cls.__new__(cls)
        classifier._set(models, class_names, dtype)
        return classifier

    def _set(self, models, class_names, dtype):
        self.models = {name: models[name] for name in CHANNELS if name in models}
        self.class_names = tuple(class_names)
        self._dtype = dtype
        self._run = functools.cache(self._prepare_run)

    @property
    def recipe(self) -> ClipRecipe:
        """How frames are prepared."""
        streams = tuple(self.models)
        return ClipRecipe("joint" if len(streams) > 1 else streams[0])

    def __call__(self, source, *, top: int = 5) -> list[tuple[str, float]]:
        """The best classes of a video.

        Args:
            source: as of `score`.
            top: how many classes.

        Returns:
            Pairs of class name and probability, best first.

        Raises:
            OSError: as of `score`.
            ValueError: as of `score`.
        """
        return self.score(source).top(top)

    def score(
        self, source, *, start: float = 0.0, max_frames: int | None = MAX_FRAMES
    ) -> Scores:
        """Scores a video.

        Args:
            source: a video as of `read_video`, or its frames: uint8 RGB
                `(frames, height, width, 3)` in 0..255, 25 per second.
            start: second of the video to begin at.
            max_frames: frames to use, at 25 per second; None uses all.

        Returns:
            Its scores.

        Raises:
            OSError: there is no such file.
            ValueError: it cannot be read, or is too short for optical flow.
        """
        frames = source
        if not isinstance(source, np.ndarray):
            frames = read_frames(source, start=start, max_frames=max_frames)
        elif source.dtype != np.uint8 or source.ndim != 4 or source.shape[-1] != 3:
            raise ValueError(
                "frames must be uint8 RGB (frames, height, width, 3) in 0..255. "
                f"Received: {source.dtype} {source.shape}"
            )
        end = start + len(frames) / FRAME_RATE
        return self.score_clips(self.prepare(frames), seconds=(start, end))

    def fingerprint(self) -> str:
        """Hexadecimal digits that change with weights, classes and arithmetic."""
        digest = hashlib.sha256(repr((self.class_names, self._dtype)).encode())
        for stream, model in self.models.items():
            digest.update(stream.encode())
            for variable in model.weights:
                digest.update(variable.path.encode())
                digest.update(np.ascontiguousarray(variable.numpy()))
        return digest.hexdigest()

    def classify_many(
        self,
        inputs: Iterable[str | os.PathLike],
        options: LabellingOptions = labelling.DEFAULT,
    ) -> Iterator[VideoScores]:
        """Scores many videos, in order; what cannot be read does not stop it.

        Args:
            inputs: files, folders, patterns, CSVs and records, as of
                `data.sources.find`.
            options: how they are read and run.

        Yields:
            For each video its `scores`, or its `error`.

        Raises:
            OSError: a file or folder does not exist.
            ValueError: there are no videos.

        Examples:
            >>> for video in classifier.classify_many(["videos/*.mp4"]):
            ...     print(video.input.name, video.error or video.scores.top(1))
        """
        found = sources.find([os.fspath(name) for name in inputs])
        yield from labelling.classify_many(self, found, options)

    def over_time(
        self,
        source: str | os.PathLike,
        window: float = 2.56,
        stride: float | None = None,
        options: LabellingOptions = labelling.DEFAULT,
    ) -> Iterator[Scores]:
        """Scores window after window of a video of any length.

        Args:
            source: the video.
            window: length of a window in seconds; 2.56 are the 64 frames that the
                models were trained on.
            stride: seconds from one window to the next; by default `window`.
            options: the part of the video, and how it is read.

        Yields:
            Scores of each window, whose `seconds` say where it is.

        Raises:
            OSError: there is no such file.
            ValueError: it cannot be read, or the windows are too short.
        """
        clip = Clip(os.fspath(source))
        yield from labelling.over_time(self, clip, window, stride, options)

    def prepare(
        self,
        frames: np.ndarray | list[np.ndarray],
        *,
        recipe: ClipRecipe | None = None,
        progress: bool = False,
    ) -> dict[str, np.ndarray]:
        """Prepares frames as the release prepared its sample.

        Args:
            frames: uint8 RGB `(frames, height, width, 3)` in 0..255, 25 per second.
            recipe: `self.recipe`, possibly with other options of the flow.
            progress: show a progress bar of the flow on standard error.

        Returns:
            A batch of one clip for each stream: float32 `(1, frames, 224, 224,
            channels)` in [-1, 1]; shorter than nine frames, they are repeated.

        Raises:
            ValueError: there is one frame, and optical flow needs two.
        """
        if "flow" in self.models and len(frames) < 2:
            raise ValueError("there is one frame, and optical flow needs two")
        for stream in self.models:
            count = len(frames) - (stream == "flow")
            if count < MIN_FRAMES:
                logging.warning(
                    "Looping %d frames of %s to %d", count, stream, MIN_FRAMES
                )
        streams = preprocessing.model_input(
            frames, recipe or self.recipe, progress=progress
        )
        return {name: clip[None] for name, clip in streams.items()}

    def score_clips(
        self,
        clips: Mapping[str, np.ndarray],
        *,
        seconds: tuple[float, float] | None = None,
    ) -> Scores:
        """Scores what `prepare` returned.

        Args:
            clips: batch of one clip by stream.
            seconds: the part of the video that it is, for the result.

        Returns:
            Its scores.
        """
        outputs = self.run(clips, ("Logits",))
        return self.scores_of(outputs, seconds=seconds)

    def scores_of(self, outputs, *, seconds=None) -> Scores:
        """Scores out of what `run` returned, of one clip."""
        streams = {name: values["Logits"][0] for name, values in outputs.items()}
        return Scores(joint_logits(streams), self.class_names, streams, seconds)

    def run(
        self,
        clips: Mapping[str, np.ndarray],
        endpoints: tuple[str, ...],
        *,
        frozen: bool = False,
    ) -> dict[str, dict[str, np.ndarray]]:
        """Runs the models.

        Args:
            clips: batch by stream, as `prepare` gives it.
            endpoints: of `InceptionI3d.VALID_ENDPOINTS`.
            frozen: run one graph with the weights as constants. It takes two seconds to
                make, which pays from the second clip on.

        Returns:
            For each stream its endpoints, float32 with the batch first.
        """
        outputs = {}
        for stream in self.models:
            if not frozen:
                logging.info(
                    "Running %s on %d frames", title(stream), clips[stream].shape[1]
                )
            values = self._run(stream, endpoints, frozen)(clips[stream])
            outputs[stream] = {
                name: np.asarray(values[name], np.float32) for name in endpoints
            }
        return outputs

    def _prepare_run(self, stream, endpoints, frozen):
        model = self.models[stream].endpoint_model(list(endpoints))
        is_tensorflow = keras.backend.backend() == "tensorflow"
        if self._dtype == "float32" and not (frozen and is_tensorflow):
            return model
        return graph.freeze(graph.fold_batch_norm(model, dtype=self._dtype))


def _find(checkpoint):
    if isinstance(checkpoint, str) and checkpoint in released.RELEASED:
        return released.fetch(checkpoint)
    return checkpoint


def _stream_of(model):
    for stream, count in CHANNELS.items():
        if count == getattr(model, "num_channels", None):
            return stream
    raise ValueError(
        f"the checkpoint is of {type(model).__name__}, not of InceptionI3d; use i3d "
        "evaluate for the paper's other architectures"
    )
