"""A checkpoint, opened once: what it is of, its tensors, its class names, its model."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..arguments import suggest_arguments
from ..data import labels
from ..models.registry import ARCHITECTURES
from ..utils import files
from . import info, transfer
from .config import CheckpointConfig, read_config
from .file_formats.tensor_bundle import BundleReader
from .info import Entry, UnknownClassesError

if TYPE_CHECKING:
    import keras


@suggest_arguments
class Checkpoint(BundleReader):
    """A checkpoint of a model, opened once.

    Opening reads the index; all else is read when it is first used.

    Args:
        path: prefix of the checkpoint (`.../model.ckpt`) or the folder that holds it,
            local or an address.

    Raises:
        OSError: there is no such checkpoint, or it may not be read.
        ValueError: the index is truncated or corrupt.

    Attributes:
        prefix: prefix of the checkpoint, a string if it is an address.
        title: what errors call it: the prefix, or the file that it was imported from.
        fingerprint: identifies the content wherever it is, 16 hex digits.

    Examples:
        >>> checkpoint = Checkpoint("checkpoints/rgb_imagenet")
        >>> checkpoint.architecture, checkpoint.stream, checkpoint.num_classes
        ('i3d', 'rgb', 400)
        >>> model = checkpoint.build_model()
    """

    def __repr__(self) -> str:
        """Shows the path, and what it is of."""
        return f"Checkpoint({self.title!r}: {self.describe()})"

    @functools.cached_property
    def variables(self) -> tuple[Entry, ...]:
        """Names, shapes and dtypes of all tensors, by name."""
        return tuple(Entry(*entry) for entry in self.entries())

    @functools.cached_property
    def config(self) -> CheckpointConfig | None:
        """The `config.json` next to it; None for bare checkpoints, as the released.

        Raises:
            ValueError: the file is no configuration of a checkpoint.
        """
        return read_config(self.prefix, self.fingerprint)

    @property
    def architecture(self) -> str:
        """One of `models.registry.ARCHITECTURES`.

        Raises:
            ValueError: it is of no model of this package.
        """
        return self.contents.architecture

    @property
    def stream(self) -> str:
        """The stream: "rgb", "flow", or "joint" for one model of both.

        Raises:
            ValueError: it is of no model of this package.
        """
        return self.contents.stream

    @property
    def num_classes(self) -> int:
        """Number of classes.

        Raises:
            UnknownClassesError: it has no classifier.
            ValueError: it is of no model of this package.
        """
        if self.contents.num_classes is None:
            raise UnknownClassesError(
                f"{self.title}: is a checkpoint of {self.architecture} without its "
                "classifier; training can start from it (--init)"
            )
        return self.contents.num_classes

    @functools.cached_property
    def width(self) -> float:
        """Factor on filters: the configuration's, or else inferred from shapes.

        Raises:
            ValueError: it is of no model of this package, or the configuration's width
                is not that of the shapes.
        """
        inferred = info.width_of(self.contents)
        if self.config is None:
            return inferred
        # A model takes memory by its width: a wrong one may ask for any amount.
        if not info.has_width(self.contents, self.config.width):
            raise ValueError(
                f"{self.title}: its tensors are of width {inferred:g}, not "
                f"{self.config.width:g} as its config.json says; correct or delete that"
            )
        return self.config.width

    @property
    def temporal(self) -> str:
        """What its model gives of time: "mean", or "dense" as its configuration has it.

        Raises:
            ValueError: the configuration is damaged.
        """
        return "mean" if self.config is None else self.config.temporal

    @property
    def activation(self) -> str:
        """What makes probabilities of its logits: "softmax" or "sigmoid".

        Raises:
            ValueError: the configuration is damaged.
        """
        return "softmax" if self.config is None else self.config.activation

    @functools.cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by index.

        They stand in the label map next to the checkpoint, one a line. Without one,
        400 and 600 classes are those of Kinetics.

        Raises:
            OSError: the label map cannot be read.
            UnknownClassesError: there is no label map, or no classifier.
            ValueError: the label map has another number of classes.
        """
        name = labels.LABEL_MAP
        if self.config is not None and self.config.class_names is not None:
            name = self.config.class_names
        path = files.sibling(self.prefix, name)
        if files.exists(path):
            names = labels.read_label_map(path)
            if len(names) != self.num_classes:
                raise ValueError(
                    f"{files.redact(path)}: has {len(names)} classes, the checkpoint "
                    f"{self.num_classes}"
                )
            return names
        if self.num_classes not in (400, 600) and self.title != files.redact(
            self.prefix
        ):
            raise UnknownClassesError(
                f"{self.title}: the names of its {self.num_classes} classes are "
                "unknown; import it with a label map, one name a line: i3d checkpoint "
                f"import {self.title} --label_map=FILE --out=DIR"
            )
        if self.num_classes not in (400, 600):
            raise UnknownClassesError(
                f"{files.redact(path)}: "
                "is missing, and there is no other way to know the names of "
                f"{self.num_classes} classes; write one name a line, in the order of "
                "training"
            )
        return labels.class_names(self.num_classes)

    def require(self, stream: str, architecture: str = "i3d") -> "Checkpoint":
        """Checks that it is of a stream and an architecture.

        Args:
            stream: "rgb", "flow", or "joint" for one model of both.
            architecture: one of `models.registry.ARCHITECTURES`.

        Returns:
            The checkpoint itself.

        Raises:
            ValueError: it is of another.
        """
        if self.architecture != architecture:
            raise ValueError(
                f"{self.title}: is a checkpoint of {self.architecture}, not of "
                f"{architecture} (--model={self.architecture})"
            )
        if self.stream != stream:
            raise ValueError(
                f"{self.title}: is of the stream {self.stream}, not of {stream}"
            )
        return self

    def build_model(self, **kwargs) -> "keras.Model":
        """Builds its model, with its weights.

        Args:
            **kwargs: arguments of the model's class; by default `num_classes`,
                `class_names`, `width`, `temporal`, `activation` and those of its input
                are the checkpoint's.
                With other classes, the classifier is new; with an earlier
                `final_endpoint`, the layers after it are left out.

        Returns:
            `InceptionI3d`, or another class of `models.registry.ARCHITECTURES`.

        Raises:
            TypeError: the class has no such argument.
            OSError: the data file is missing, or may not be read.
            ValueError: it is truncated or corrupt, or of no model of this package.
        """
        self.require_data()  # Sizes that are not there could take all memory.
        model_class = ARCHITECTURES[self.architecture].model_class()
        model = model_class(**self.model_arguments(self.architecture, kwargs))
        if self.architecture != "i3d":  # Its constructor has no such argument.
            model.activation = self.activation
        self.load_into(model)
        return model

    def model_arguments(self, architecture: str, chosen: Mapping) -> dict[str, Any]:
        """Arguments of its model's class; see `transfer.model_arguments`."""
        return transfer.model_arguments(self, architecture, chosen)

    def load_into(self, model: "keras.Model", *, same_names: bool = False) -> bool:
        """Loads it into a model of any classes; see `transfer.load_into`."""
        return transfer.load_into(model, self, same_names=same_names)

    def describe(self) -> str:
        """One line for people: what it is of, and the released one that it is like."""
        text = info.describe(self.variables)
        if (self.temporal, self.activation) != ("mean", "softmax"):
            text += f"; temporal {self.temporal}, activation {self.activation}"
        return text

    @functools.cached_property
    def contents(self) -> info.Contents:
        """What it is of, from names and shapes.

        Raises:
            ValueError: it is of no model of this package.
        """
        return info.contents_of(self.variables, self.title)
