"""Lists what a checkpoint holds, and copies its weights.

The variables of a checkpoint, and what it is a checkpoint of:
  i3d checkpoint PATH

Its weights alone, without an optimizer's slots, and its label_map.txt:
  i3d checkpoint RUN/best --copy_to=DIR

PATH is the prefix of a checkpoint (.../model.ckpt) or the folder that holds it.
"""

from absl import flags

from . import program

_COPY_TO = flags.DEFINE_string(
    "copy_to", None, "Folder to write the weights to, without an optimizer's slots."
)


def main(argv):
    """Lists or copies the checkpoint that is named."""
    if len(argv) != 2:
        raise ValueError(
            "give one checkpoint: i3d checkpoint PATH, where PATH is its prefix "
            "(.../model.ckpt) or its folder"
        )
    with program.quiet_tensorflow():
        from ..checkpoints.checkpoint import Checkpoint, copy_weights

        path = argv[1]
        if _COPY_TO.value is not None:
            if not _COPY_TO.value:
                raise ValueError("--copy_to= is empty; pass a folder")
            copy_weights(path, _COPY_TO.value)
            path = _COPY_TO.value
        checkpoint = Checkpoint(path)
    for entry in checkpoint.variables:
        print(f"{entry.name}  {list(entry.shape)}  {entry.dtype}")
    print(checkpoint.describe())
