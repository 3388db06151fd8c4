"""C3d: the paper's 3D-ConvNet, a smaller C3D with batch norm."""

from typing import NamedTuple

import keras

from ..arguments import suggest_arguments
from .architecture import scaled
from .baseline import Baseline, classifier, gaussian
from .inception import Unit3D, max_pool


class Conv(NamedTuple):
    """Convolution unit: 3D convolution, batch norm, ReLU."""

    name: str
    filters: int
    kernel: tuple[int, int, int] = (3, 3, 3)
    padding: str = "same"


class Pool(NamedTuple):
    """Max pooling by 2 in time, height and width, padded SAME."""

    name: str


class Dropout(NamedTuple):
    """Dropout, at the model's rate."""

    name: str


# Source: C3D (Tran et al., arXiv 1412.0767), figure 3, with section 2.1.2 of the paper:
# batch norm everywhere, and the first pool strides in time as well. What is left of 16
# frames of 112 pixels for the fully connected layers is (1, 4, 4).
ROWS: tuple[Conv | Pool | Dropout, ...] = (
    Conv("Conv3d_1a_3x3", 64),
    Pool("MaxPool3d_1b_2x2"),
    Conv("Conv3d_2a_3x3", 128),
    Pool("MaxPool3d_2b_2x2"),
    Conv("Conv3d_3a_3x3", 256),
    Conv("Conv3d_3b_3x3", 256),
    Pool("MaxPool3d_3c_2x2"),
    Conv("Conv3d_4a_3x3", 512),
    Conv("Conv3d_4b_3x3", 512),
    Pool("MaxPool3d_4c_2x2"),
    Conv("Conv3d_5a_3x3", 512),
    Conv("Conv3d_5b_3x3", 512),
    Pool("MaxPool3d_5c_2x2"),
    Conv("FC_6", 4096, kernel=(1, 4, 4), padding="valid"),
    Dropout("Dropout_6"),
    Conv("FC_7", 4096, kernel=(1, 1, 1)),
    Dropout("Dropout_7"),
)


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class C3d(Baseline):
    """The paper's 3D-ConvNet: 8 convolutions, 5 pools, 2 fully connected layers.

    Arguments and errors are those of `Baseline`; the stream is "rgb".

    Input shape: float32 `(batch, 16, 112, 112, 3)` in [-1, 1].
    Output shape: float32 logits `(batch, num_classes)`.

    Examples:
        >>> model = C3d(width=1 / 8)
        >>> model(np.zeros((1, 16, 112, 112, 3), "float32")).shape
        (1, 400)

    Source: section 2.1.2 and figure 2 (b) of the paper (arXiv 1705.07750).
    """

    kind = "c3d"
    STREAMS = ("rgb",)

    def _clip_shapes(self):
        return {"rgb": (16, 112, 112, 3)}

    def _connect(self, clips):
        outputs = clips["rgb"]
        for row in ROWS:
            outputs = self._layer(row)(outputs)
        features = keras.layers.Flatten(dtype=self._policy, name="Features")(outputs)
        return classifier(self.num_classes, dtype=self._head_policy)(features)

    def _layer(self, row):
        if isinstance(row, Pool):
            return max_pool(row.name, 2, 2, rank=3, dtype=self._policy)
        if isinstance(row, Dropout):
            return self._dropout(row.name)
        return Unit3D(
            scaled(row.filters, self.width),
            row.kernel,
            padding=row.padding,
            kernel_initializer=gaussian(),
            dtype=self._policy,
            name=row.name,
        )
