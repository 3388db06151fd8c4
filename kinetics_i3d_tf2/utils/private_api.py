"""Private names of Keras that no public name replaces.

Other modules call these functions instead. Tried with Keras 3.9.2 and 3.15.1;
`tests/utils/test_private_api.py` names what another version lacks.
"""


def all_layers(model) -> list:
    """Layers of a model at every depth: those of its layers too.

    Args:
        model: a Keras model or layer.

    Returns:
        The layers, with the model itself.
    """
    return list(model._flatten_layers())


def loss_metric(model):
    """The metric with which a compiled model reports its mean loss, "loss"."""
    return model._loss_tracker


def skip_symbolic_build(model) -> None:
    """Keeps `fit` from building a model that is built already.

    Keras's own build fails under a strategy of several workers.

    Args:
        model: a built Keras model.
    """
    model._maybe_symbolic_build = lambda iterator=None, data_batch=None: None


def trained_variables(optimizer) -> list:
    """Variables that a built optimizer trains, in the order of `build`."""
    return optimizer._trainable_variables


def variable_index(optimizer, variable) -> int:
    """Place of a variable in `trained_variables`, also of a replica's copy."""
    return optimizer._get_variable_index(variable)
