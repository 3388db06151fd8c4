"""The dtype policy of heads: float32 on a trunk of half precision."""

import keras

_HALF = ("float16", "bfloat16")


@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class HeadPolicy(keras.DTypePolicy):
    """Dtype policy of the layers after a trunk, which never compute in half precision.

    A logit near 40 has steps of 0.25 in bfloat16, and a head is cheap. The class marks
    these layers, so that changing the precision of a model leaves them alone. Its name
    is "float32" or "float64".
    """

    @classmethod
    def after(cls, trunk: keras.DTypePolicy) -> "HeadPolicy":
        """The policy of a head on a trunk of another policy."""
        return cls("float32" if trunk.compute_dtype in _HALF else trunk.name)
