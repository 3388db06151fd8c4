"""Classifier: a video or its frames in, scores out."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

import keras
import numpy as np

from ..arguments import suggest_arguments
from ..data import sources
from ..data.clips import Clip
from ..video.reader import FRAME_RATE, Source
from . import dense_scores, labelling, live, over_time
from .frames import MAX_FRAMES, is_several, read_frames
from .labelling import LabellingOptions, VideoScores
from .live import LiveOptions, LiveScores
from .open_models import fingerprint_of, open_models
from .runner import Runner
from .scores import Scores, activation_of

_Best = list[tuple[str, float]]
_Frames = np.ndarray | list[np.ndarray] | tuple[np.ndarray, ...]
_S = TypeVar("_S", bound=Source)


@suggest_arguments
class Classifier(Runner):
    """Classifies videos with I3D, one stream or both.

    Args:
        models: one or two of different streams: names of released checkpoints,
            downloaded if they are absent; paths of checkpoints, of `.keras` files, or
            of other files that `import_weights` reads; or models. They know the names
            of their classes (`model.class_names`).
        dtype: "float32", or "bfloat16" for faster arithmetic on some processors.

    Raises:
        TypeError: an unknown argument.
        OSError: a file is missing or cannot be downloaded.
        ValueError: a file is damaged or of another architecture, the names of the
            classes are unknown, or two models are of one stream or of different
            classes.

    Examples:
        >>> classifier = Classifier("rgb_imagenet", "flow_imagenet")
        >>> classifier("clip.mp4", top=2)
        [('playing cricket', 0.9999), ('hurling (sport)', 1.5e-09)]

    Attributes:
        models: Keras model of each stream, "rgb" before "flow".
        class_names: names of the classes, by index.
        activation: what makes probabilities of their logits, "softmax" or "sigmoid".
    """

    def __init__(
        self, *models: str | os.PathLike | keras.Model, dtype: str = "float32"
    ):
        by_stream = open_models(models)
        names = next(iter(by_stream.values())).class_names
        self._set(by_stream, names, dtype)

    def __repr__(self) -> str:
        """Shows its streams and the number of its classes."""
        streams = ", ".join(self.models)
        return f"Classifier({streams}; {len(self.class_names)} classes; {self._dtype})"

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
        super().__init__(models, dtype=dtype)
        self.class_names = tuple(class_names)
        self.activation = activation_of(self.models)

    @overload
    def __call__(self, source: Source, *, top: int = ...) -> _Best: ...
    @overload
    def __call__(
        self, source: list[_S] | tuple[_S, ...], *, top: int = ...
    ) -> list[_Best]: ...
    @overload  # The axes tell one video from several, and are not in the type.
    def __call__(self, source: _Frames, *, top: int = ...) -> list[Any]: ...
    def __call__(self, source, *, top=5):
        """The best classes of one video or several.

        Args:
            source: one as of `score`; or several in a list, or a batch of frames with
                an axis more.
            top: how many classes.

        Returns:
            Pairs of class name and probability, best first; of several videos, such a
            list for each.

        Raises:
            OSError: as of `score`.
            ValueError: as of `score`.
        """
        if is_several(source):
            return [self.score(one).top(top) for one in source]
        return self.score(source).top(top)

    def score(
        self,
        source,
        *,
        start: float = 0.0,
        max_frames: int | None = MAX_FRAMES,
        progress: bool = False,
    ) -> Scores:
        """Scores a video.

        Clips of more than 320 frames go through the models in overlapping pieces, as
        they are decoded; their scores are those of the whole clip, and memory does not
        grow with their length.

        Args:
            source: a video as of `read_video`, or its frames: uint8 RGB
                `(frames, height, width, 3)` in 0..255, 25 per second, or a list of
                them.
            start: second of the video to begin at.
            max_frames: frames to use, at 25 per second; None uses all.
            progress: show a progress bar on standard error.

        Returns:
            Its scores.

        Raises:
            OSError: there is no such file.
            ValueError: it cannot be read, or is too short for optical flow.
        """
        frames = read_frames(source, start=start, max_frames=max_frames)
        done = self.run_frames(frames, progress=progress)
        end = start + done.num_frames / FRAME_RATE
        return self.scores_of(done.outputs, seconds=(start, end))

    def fingerprint(self) -> str:
        """Hexadecimal digits that change with weights, classes and arithmetic."""
        settings = self.class_names, self._dtype, self.activation
        return fingerprint_of(self.models, repr(settings))

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
        *,
        dense: bool = False,
    ) -> Iterator[Scores]:
        """Scores window after window of a video of any length, or each place in time.

        Args:
            source: the video.
            window: length of a window in seconds; 2.56 are the 64 frames that the
                models were trained on.
            stride: seconds from one window to the next; by default `window`.
            options: the part of the video, and how it is read.
            dense: score every 8 frames by dense logits, instead of windows.

        Yields:
            Scores of each window, whose `seconds` say where it is.

        Raises:
            OSError: there is no such file.
            ValueError: it cannot be read, or the windows are too short.
        """
        clip = Clip(os.fspath(source))
        if dense:
            return dense_scores.dense_over_time(self, clip, options)
        return over_time.over_time(self, clip, window, stride, options)

    def live(
        self, source: str, options: LiveOptions = live.DEFAULT
    ) -> Iterator[LiveScores]:
        """Scores the newest seconds of a camera, a stream or a pipe, again and again.

        Args:
            source: "/dev/video0", "rtsp://camera/stream", "-", ... as of `LiveVideo`.
            options: how long a window is, and how often one is scored.

        Yields:
            Scores of the newest window, without an end, except of pipes.

        Raises:
            OSError: there is no such source.
            ValueError: it is a regular file, or not a video.
        """
        yield from live.classify_live(self, source, options)

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
        logits = [values["Logits"][0] for values in outputs.values()]
        place = Scores(np.empty(0), (), {}, seconds)
        return labelling.scores_at(self, logits, place)
