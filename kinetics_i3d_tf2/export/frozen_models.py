"""Models as frozen graphs, from checked clips to logits and features."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from ..inference import graph
from ..inference.scores import activation_of
from ..models.architecture import MIN_FRAMES, MIN_SIZE
from ..models.i3d import InceptionI3d
from ..streams import CHANNELS, STREAMS
from . import preprocessing, verify

_FEATURES = "Mixed_5c"


class FrozenModels:
    """Models of one or both streams, with their weights as constants.

    Args:
        models: by stream, as of `Signatures`.
        dtype: dtype policy of the models' trunks, "float32" or "bfloat16".

    Attributes:
        streams: names of their inputs, "rgb" before "flow".
        are_i3d: whether they are `InceptionI3d`.
        activation: what makes probabilities of their logits.
    """

    def __init__(self, models: Mapping[str, keras.Model], dtype: str):
        self.streams = [s for s in CHANNELS if any(s in STREAMS[m] for m in models)]
        self.are_i3d = all(isinstance(m, InceptionI3d) for m in models.values())
        self.activation = activation_of(models)
        self._clip_shapes = {
            name: value.shape[1:-1] for name, value in verify.inputs_of(models).items()
        }
        self._run = {stream: _freeze(m, dtype) for stream, m in models.items()}

    @property
    def least(self) -> tuple[int, int, int]:
        """Smallest number of frames, height and width of a video."""
        if self.are_i3d:
            return MIN_FRAMES, MIN_SIZE, MIN_SIZE
        return 1 + ("flow" in self.streams), 1, 1

    def checked(self, clips: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Checks sizes and values of clips when the graph runs.

        Args:
            clips: float32 `(batch, frames, height, width, channels)`, by stream.

        Returns:
            The clips.
        """
        for stream, clip in clips.items():
            sizes = self._clip_shapes[stream]
            # Free sizes have a minimum.
            least = [
                m if n is None else n for n, m in zip(sizes, self.least, strict=True)
            ]
            clips[stream] = preprocessing.check_clip(
                clip, stream, least, CHANNELS[stream], exactly=None not in sizes
            )
        if len(clips) > 1:
            batches = [tf.shape(clip)[0] for clip in clips.values()]
            clips["rgb"] = preprocessing.require(
                batches[0] == batches[1],
                "expected as many clips of each stream. Received:",
                batches,
                clips["rgb"],
            )
        return clips

    def logits(self, clips: dict[str, tf.Tensor]) -> tf.Tensor:
        """Logits of clips, float32 `(batch, num_classes)`, summed over two models."""
        if self.are_i3d:
            dense = self._dense(clips)
            return tf.add_n([tf.reduce_mean(logits, axis=1) for logits in dense])
        logits = [
            run(clips if stream == "joint" else clips[stream])
            for stream, run in self._run.items()
        ]
        return tf.add_n(logits)

    def dense_logits(self, clips: dict[str, tf.Tensor]) -> tf.Tensor:
        """Logits of I3D at each place in time, summed over two models.

        Returns:
            float32 `(batch, places, num_classes)`; flow, a frame less, may have a place
            less, and there is no sum then.
        """
        dense = self._dense(clips)
        places = tf.reduce_min([tf.shape(logits)[1] for logits in dense])
        return tf.add_n([logits[:, :places] for logits in dense])

    def _dense(self, clips):
        return [run(clips[stream])["Logits"] for stream, run in self._run.items()]

    def features(self, clips: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """`Mixed_5c` of I3D averaged over time and space, float32 `(batch, 1024)`."""
        features = {}
        for stream, run in self._run.items():
            endpoint = tf.cast(run(clips[stream])[_FEATURES], tf.float32)
            features[stream] = tf.reduce_mean(endpoint, axis=(1, 2, 3))
        return features


def _freeze(model, dtype):
    """One graph with both outputs; what a signature does not use is not computed."""
    if isinstance(model, InceptionI3d):
        model = model.endpoint_model([_FEATURES, "Logits"], temporal="dense")
    return graph.freeze(graph.fold_batch_norm(model, dtype=dtype))
