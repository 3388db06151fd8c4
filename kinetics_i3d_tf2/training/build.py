"""The model and the optimizer of a recipe."""

from collections.abc import Sequence

import keras

from ..data.clip_recipe import ClipRecipe
from ..models import losses
from ..models.architecture import TRUNK
from ..models.i3d import InceptionI3d
from ..models.inception_v1 import InceptionV1
from ..models.multi_label_losses import DenseCrossentropy, MultiLabelCrossentropy
from ..models.registry import ARCHITECTURES
from ..streams import CHANNELS
from ..utils import private_api
from .momentum import Momentum
from .recipe import TrainingRecipe
from .trainer import Trainer


def build_model(
    recipe: TrainingRecipe,
    num_classes: int,
    *,
    width: float = 1.0,
    dtype: str = "float32",
) -> keras.Model:
    """Builds the model of a recipe, with frozen layers, batch norm and weight decay.

    Args:
        recipe: the recipe.
        num_classes: number of classes.
        width: factor on the number of filters.
        dtype: Keras dtype policy.

    Returns:
        The model. A recurrent one returns the logits of all time steps.

    Raises:
        ValueError: the architecture does not take such clips, or has no endpoint
            `recipe.freeze_until`.
    """
    model = new_model(
        recipe.model,
        num_classes,
        recipe.clip,
        in_training=True,
        temporal=recipe.temporal,
        dropout_rate=recipe.dropout_rate,
        width=width,
        dtype=dtype,
    )
    model.activation = recipe.loss
    if recipe.freeze_until is not None:
        _freeze(model, recipe.freeze_until)
    for layer in private_api.all_layers(model):
        if hasattr(layer, "momentum"):  # Every kind of batch norm.
            layer.momentum = recipe.batch_norm_momentum
            layer.synchronized = recipe.batch_norm == "synchronized"
            if recipe.batch_norm == "frozen":
                layer.trainable = False
    if recipe.weight_decay:
        for variable in model.trainable_weights:
            if variable.name.endswith("kernel"):
                # tf.nn.l2_loss is half the sum of squares.
                variable.regularizer = keras.regularizers.L2(recipe.weight_decay / 2)
    return model


def new_model(
    kind: str,
    num_classes: int,
    clip: ClipRecipe,
    *,
    in_training: bool = False,
    temporal: str = "mean",
    **kwargs,
) -> keras.Model:
    """Builds a model with random weights for the clips of a recipe.

    Args:
        kind: one of `ARCHITECTURES`.
        num_classes: number of classes.
        clip: the clips; the architecture must support their stream.
        in_training: whether a recurrent model returns the logits of all time steps.
        temporal: "mean", or "dense" of I3D.
        **kwargs: `dropout_rate`, `width` and `dtype`, as for `InceptionI3d`.

    Returns:
        The model.

    Raises:
        ValueError: an argument is out of range, or the architecture does not take such
            clips.
    """
    if kind == "i3d":
        channels = CHANNELS[clip.stream]
        return InceptionI3d(
            num_classes, num_channels=channels, temporal=temporal, **kwargs
        )
    kwargs["stream"] = clip.stream
    if kind == "convnet_lstm":
        kwargs |= {"all_steps": in_training, "max_steps": clip.length("rgb")}
    elif kind == "c3d":
        _check_c3d(clip)
    elif kind == "two_stream":
        _check_two_stream(clip)
        kwargs["snippet"] = clip.rgb_stride
    elif kind == "fused":
        _check_fused(clip)
        kwargs["snippet"] = clip.rgb_stride
    return ARCHITECTURES[kind].model_class()(num_classes, **kwargs)


def make_trainer(
    model: keras.Model,
    recipe: TrainingRecipe,
    *,
    dtype: str = "float32",
    gradient_accumulation_steps: int = 1,
    class_weights: Sequence[float] | None = None,
) -> Trainer:
    """Compiles a model with a recipe's optimizer, ready for `fit`.

    Args:
        model: of `build_model`.
        recipe: its recipe.
        dtype: the model's dtype policy; "mixed_float16" adds loss scaling.
        gradient_accumulation_steps: as for `Trainer`.
        class_weights: factors by class, as of `TrainingOptions`.

    Returns:
        The compiled trainer, which reports "loss" and, of a softmax, "top1".
    """
    optimizer = Momentum(recipe.rate(0), recipe.momentum)
    if dtype == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_weights)
    trainer = Trainer(model, gradient_accumulation_steps=gradient_accumulation_steps)
    trainer.compile(
        optimizer,
        make_loss(recipe, class_weights),
        metrics=[losses.Top1()] if recipe.loss == "softmax" else [],
        auto_scale_loss=False,
        jit_compile=False,  # XLA would compute all microbatches at once.
    )
    return trainer


def make_loss(
    recipe: TrainingRecipe, class_weights: Sequence[float] | None = None
) -> keras.losses.Loss:
    """The loss of a recipe.

    Args:
        recipe: the recipe.
        class_weights: factors by class; None is 1 for all.
    """
    if recipe.loss == "softmax":
        return losses.Crossentropy(
            label_smoothing=recipe.label_smoothing, class_weights=class_weights
        )
    if recipe.temporal == "dense":
        return DenseCrossentropy(positive_weights=class_weights)
    return MultiLabelCrossentropy(positive_weights=class_weights)


def _check_c3d(clip):
    usual = ClipRecipe.of_model("c3d")
    if (clip.num_frames, clip.crop_size) != (usual.num_frames, usual.crop_size):
        raise ValueError(
            f"c3d takes clips of {usual.num_frames} frames and {usual.crop_size} "
            f"pixels. Received: {clip.num_frames} and {clip.crop_size}"
        )


def _check_two_stream(clip):
    if clip.num_frames != clip.rgb_stride:
        raise ValueError(
            "two_stream takes one frame of RGB and the flow that follows it: "
            "num_frames must be equal to rgb_stride. Received: "
            f"{clip.num_frames} and {clip.rgb_stride}"
        )


def _check_fused(clip):
    if clip.num_frames % clip.rgb_stride:
        raise ValueError(
            "fused takes frames of RGB and the flow from each to the next: num_frames "
            "must be a multiple of rgb_stride. Received: "
            f"{clip.num_frames} and {clip.rgb_stride}"
        )


def _freeze(model, endpoint):
    """Freezes everything up to an endpoint, in both trunks if there are two."""
    names = [row.name for row in TRUNK]
    trunks = [x for x in private_api.all_layers(model) if isinstance(x, InceptionV1)]
    if trunks:
        end = names.index(endpoint) + 1
        frozen = [layer for trunk in trunks for layer in trunk.steps[:end]]
    else:
        of_model = [layer.name for layer in model.layers]
        if endpoint not in of_model:
            raise ValueError(
                f"{model.name} has no endpoint {endpoint} to freeze, only: "
                f"{', '.join(of_model)}"
            )
        frozen = model.layers[: of_model.index(endpoint) + 1]
    for layer in frozen:
        layer.trainable = False
