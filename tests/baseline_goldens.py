"""Draws golden/baseline_*.npz, the logits of the paper's other four architectures.

python tests/baseline_goldens.py
"""

from pathlib import Path

import keras
import numpy as np
import recipe

from kinetics_i3d_tf2 import C3d, ConvNetLstm, FusedTwoStream, TwoStream

# Frames and pixels of a clip, where they are free.
ARCHITECTURES = {
    "convnet_lstm": (ConvNetLstm, {"all_steps": True}, (27, 64)),
    "c3d": (C3d, {}, ()),
    "two_stream": (TwoStream, {}, (None, 96)),
    "fused": (FusedTwoStream, {}, (5, None)),
}


def logits(kind, run=keras.Model.__call__):
    """Logits of a narrow model with the recipe's weights; `run(model, clips)`."""
    cls, options, free = ARCHITECTURES[kind]
    model = recipe.assign(cls(12, width=1 / 8, dropout_rate=0.0, **options))
    clips = {}
    for stream, (frames, size, _, channels) in model.clip_shapes.items():
        snippet = model.snippet if stream == "flow" else 1
        frames, size = frames or free[0] * snippet, size or free[1]
        clips[stream] = recipe.clip(frames, channels, batch=2, size=size)
    if kind == "two_stream":
        outputs = run(model.per_stream(), clips)
        return {name: np.asarray(value) for name, value in outputs.items()}
    clips = clips if model.stream == "joint" else clips[model.stream]
    return {"logits": np.asarray(run(model, clips))}


if __name__ == "__main__":
    for kind in ARCHITECTURES:
        path = Path(__file__).parent / "golden" / f"baseline_{kind}.npz"
        np.savez_compressed(path, **logits(kind))
